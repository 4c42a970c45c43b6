"""Envoy's runtime (RTDS) file: changed in one rename, next to others who change it as well."""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import yaml

from bot.ports import PortError

RUNTIME: Final = "type.googleapis.com/envoy.service.runtime.v3.Runtime"
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""Envoy takes the format from the file's name."""
_LOCK_PATIENCE: Final = 2.0


class Malformed(PortError):  # noqa: N818 - it is an answer to be acted on
    """The file cannot be understood, so what else it holds cannot be kept."""


def write_weights(
    path: Path,
    resource: str,
    weights: Mapping[str, int],
    still: Callable[[], bool] = lambda: True,
    instead: Mapping[str, Any] | None = None,
) -> None:
    """Put these runtime keys into the file; all else in it stays, comments excepted.

    The file is replaced by a rename and written through to the disk, so that Envoy and a restart
    see the old weights or the new ones, never a part. It blocks; call it in a thread.

    Args:
        path: the file; made when it is missing.
        resource: the name of the runtime resource, used when the file has none yet.
        weights: whole numbers by runtime key.
        still: asked once the file is locked, whether these weights are still wanted.
        instead: what the layer holds in place of a file that cannot be understood, which is then
            kept beside the new one, its name ending in `.broken`.

    Raises:
        Malformed: the file cannot be understood, and there is nothing instead.
        PortError: it cannot be read, locked or written; nothing was changed.

    """
    try:
        with _locked(path):
            if not still():
                raise PortError("this weight was overtaken by a newer one and not written")
            try:
                content = _load(path)
                layer = _layer(path, content, resource)
            except Malformed:
                if instead is None:
                    raise
                shutil.copy2(path, path.with_name(f"{path.name}.broken"))
                layer = dict(instead)
                content = {"resources": [{"@type": RUNTIME, "name": resource, "layer": layer}]}
            for key, weight in weights.items():
                _drop(layer, key)
                layer[key] = weight
            _replace(path, content)
    except OSError as error:
        raise PortError(
            f"the runtime file {path} cannot be written ({error.strerror or error}), its weights "
            "stay; check that the folder exists and that the bot may write in it"
        ) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock beside the file: the file itself is replaced, a lock on it would be lost."""
    end = time.monotonic() + _LOCK_PATIENCE
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise PortError(
                        f"the runtime file {path} is locked by another program for more than "
                        f"{_LOCK_PATIENCE:g} s, its weights stay; look who holds {lock.name}"
                    ) from None
                time.sleep(0.01)
        yield  # closing the file gives the lock back


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())[:200]
        raise Malformed(
            f"the runtime file {path} is malformed ({what}), nothing was written; Envoy goes on "
            "with the last weights it understood: repair the file"
        ) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Malformed(_unexpected(path, "it is not a mapping with `resources`"))
    return content


def _layer(path: Path, content: dict[str, Any], resource: str) -> dict[str, Any]:
    resources = content.setdefault("resources", [])
    if resources == [] or resources is None:
        resources = content["resources"] = [{"@type": RUNTIME, "name": resource, "layer": {}}]
    if not isinstance(resources, list) or not isinstance(resources[0], dict):
        raise Malformed(_unexpected(path, "`resources` is not a list of mappings"))
    if len(resources) > 1:
        raise Malformed(
            _unexpected(path, f"it has {len(resources)} resources, Envoy takes exactly one")
        )
    layer = resources[0].setdefault("layer", {})
    if not isinstance(layer, dict):
        raise Malformed(_unexpected(path, "its `layer` is not a mapping"))
    return layer


def _unexpected(path: Path, what: str) -> str:
    return (
        f"the runtime file {path} is not an RTDS file: {what}; nothing was written. Repair it, or "
        "remove it to have it made anew"
    )


def _drop(layer: dict[str, Any], key: str) -> None:
    """Remove a key however it is nested: Envoy reads `{a: {b: 1}}` and `{a.b: 1}` as the same."""
    layer.pop(key, None)
    for name, inner in tuple(layer.items()):
        if isinstance(inner, dict) and key.startswith(f"{name}."):
            _drop(inner, key.removeprefix(f"{name}."))
            if not inner:  # an empty mapping would be a key of its own
                del layer[name]


def _replace(path: Path, content: dict[str, Any]) -> None:
    text = (
        json.dumps(content, indent=2)
        if path.suffix == ".json"
        else yaml.safe_dump(content, sort_keys=False)
    )
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644  # Envoy may be another user
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself must survive a power cut
    finally:
        os.close(folder)
