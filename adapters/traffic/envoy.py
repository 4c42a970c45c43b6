"""Envoy: weights in its runtime (RTDS) file, read back from its admin.

The file is the truth, so weights survive Envoy's restart; what Envoy really does is what its
admin answers, and only that is believed.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from adapters.http import HttpError, masked, read_json
from adapters.registry import Surroundings
from adapters.traffic.runtime_file import SUFFIXES, Malformed, write_weights
from bot.core.plan import FULL, ZERO, Split, Weight
from bot.core.slo import Arms
from bot.ports import PortError

WHOLE: Final = 10_000
"""What the weights in the file add up to."""
_PATIENCE: Final = 3.0
"""Seconds to wait for Envoy to show a weight; it takes milliseconds."""


class EnvoyOptions(BaseModel):
    """Where Envoy's weights are.

    Attributes:
        runtime_file: the file its `rtds_layer` reads (.yaml, .yml, .json).
        admin: the address of its admin; it has no password, so keep it on loopback.
        key: the route's `runtime_key_prefix`, as in "canary.shop".
        backends: Envoy's cluster by backend, at least two: all clusters of the route.
        resource: the name of the `rtds_layer`, used when the file is made anew.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    runtime_file: Path
    admin: str
    key: Annotated[str, StringConstraints(min_length=1)]
    backends: Annotated[dict[str, str], Field(min_length=2)]
    resource: str = "rt"

    @field_validator("runtime_file")
    @classmethod
    def _known_format(cls, path: Path) -> Path:
        if path.suffix not in SUFFIXES:
            raise ValueError(f"the file's name must end in {', '.join(SUFFIXES)}: {path.name}")
        return path

    @field_validator("backends")
    @classmethod
    def _one_each(cls, backends: dict[str, str]) -> dict[str, str]:
        if len(set(backends.values())) < len(backends):
            raise ValueError("two backends have the same cluster; each needs its own")
        return backends


@dataclass(frozen=True, slots=True)
class _Shown:
    """Envoy's runtime: the names of its layers and, by key, the values layer by layer."""

    layers: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    final: Mapping[str, str]


class EnvoyRouter:
    """Splits a route's traffic over Envoy clusters by their runtime weights."""

    Options: ClassVar[type[BaseModel]] = EnvoyOptions

    def __init__(self, options: EnvoyOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._file = surroundings.folder / options.runtime_file
        self._admin = options.admin.rstrip("/")
        self._http = surroundings.http
        self._threads = ThreadPoolExecutor(2, "envoy-weights")
        self._newest = 0
        self._keys = {
            backend: f"{options.key}.{cluster}" for backend, cluster in options.backends.items()
        }

    @property
    def smallest(self) -> Weight:
        """A tenth of a percent; Envoy could do less, a split cannot say less."""
        return Weight(1)

    @property
    def durable(self) -> bool:
        """Weights are in a file."""
        return True

    async def split(self) -> Split:
        """What Envoy's admin shows, in tenths of a percent.

        A backend with any traffic shows at least a tenth, however little it is.

        Raises:
            PortError: the admin cannot be read, a weight is not there, or all are zero.

        """
        shown = await self._shown()
        self._refuse_strangers(shown)
        return _shares({backend: self._number(shown, key) for backend, key in self._keys.items()})

    async def shift(self, arms: Arms[str], weight: Weight) -> None:
        """Write the weights and wait until Envoy shows them; other backends get nothing.

        Raises:
            PortError: a backend is unknown, the file cannot be written, or Envoy does not show
                the weights: then they are in the file all the same.

        """
        for backend in (arms.canary, arms.stable):
            if backend not in self._keys:
                raise PortError(
                    f"the router has no backend {backend!r}; known: {', '.join(self._keys)}"
                )
        if arms.canary == arms.stable:
            raise PortError(f"{arms.canary!r} cannot be both the canary and the stable arm")
        canary = weight.permille * WHOLE // FULL.permille
        wanted = dict.fromkeys(self._keys.values(), 0)
        wanted[self._keys[arms.canary]] = canary
        wanted[self._keys[arms.stable]] = WHOLE - canary
        try:
            await self._write(wanted)
        except Malformed:
            if weight != ZERO:
                raise
            # Somebody's typing mistake in a file that is shared must not keep users on the canary.
            layer = self._layer(await self._shown())
            if layer is None:
                raise
            await self._write(wanted, layer)
        await self._confirm(wanted)

    async def _write(
        self, wanted: Mapping[str, int], instead: Mapping[str, Any] | None = None
    ) -> None:
        self._newest += 1
        mine = self._newest
        # Threads of its own: a hanging log file must not use up those of a flip. And a thread goes
        # on when its flip is cancelled: the newer flip must not be overwritten by it.
        await asyncio.get_running_loop().run_in_executor(
            self._threads,
            partial(
                write_weights,
                self._file,
                self._options.resource,
                wanted,
                still=lambda: mine == self._newest,
                instead=instead,
            ),
        )

    def _layer(self, shown: _Shown) -> dict[str, Any] | None:
        """All that Envoy took from the file while it could be read; None where that is not seen.

        It is the last layer that holds every weight of ours, but for the admin's, which holds
        what was set by hand.
        """
        for index, name in reversed(tuple(enumerate(shown.layers))):
            held = {
                key: values[index]
                for key, values in shown.values.items()
                if index < len(values) and values[index]
            }
            if name != "admin" and all(key in held for key in self._keys.values()):
                return {key: _typed(value) for key, value in held.items()}
        return None

    async def _confirm(self, wanted: Mapping[str, int]) -> None:
        problem: HttpError | None = None
        shown: _Shown | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while True:
                    try:
                        shown, problem = await self._shown(), None
                    except HttpError as error:
                        problem = error
                    if shown and all(shown.final.get(k) == str(w) for k, w in wanted.items()):
                        return
                    await asyncio.sleep(0.02)
        if shown is None or problem is not None:
            raise PortError(
                f"the weight is in {self._file} and takes effect when Envoy reads it, but that is "
                f"unconfirmed: {problem or 'its admin did not answer in time'}"
            )
        raise PortError(_overridden(shown, wanted, self._admin) or await self._not_taken())

    async def _not_taken(self) -> str:
        """Why Envoy does not show what the file holds."""
        text = (
            f"the weight is in {self._file}, but Envoy did not take it within {_PATIENCE:g} s; "
            f"check that its rtds_layer reads this file and has the file's resource name"
        )
        try:
            stats = await read_json(
                self._http,
                f"{self._admin}/stats?format=json&filter=^runtime\\.update_(failure|rejected)$",
                what="Envoy's admin",
            )
            counts = {s["name"]: s["value"] for s in stats["stats"] if s.get("value")}
        except (HttpError, KeyError, TypeError, AttributeError):
            return text
        failed = ", ".join(f"{name} is {value}" for name, value in counts.items())
        return f"{text}; {failed} since it began: its log says what it refused" if failed else text

    async def _shown(self) -> _Shown:
        body: Any = await read_json(
            self._http, f"{self._admin}/runtime", what="Envoy's admin", largest=5_000_000
        )
        try:
            entries = body["entries"].items()
            return _Shown(
                tuple(body.get("layers", ())),
                {key: tuple(entry["layer_values"]) for key, entry in entries},
                {key: str(entry["final_value"]) for key, entry in entries},
            )
        except (KeyError, TypeError, AttributeError):
            raise HttpError(
                f"{masked(self._admin)}/runtime did not answer as Envoy does; check that `admin` "
                "is the address of Envoy's admin"
            ) from None

    def _number(self, shown: _Shown, key: str) -> int:
        value = shown.final.get(key)
        if value is None:
            first, *others = self._keys.values()
            layer = ", ".join([f"{first}: {WHOLE}", *(f"{other}: 0" for other in others)])
            raise PortError(
                f"Envoy's runtime has no {key}, so the weight it uses cannot be seen; put the "
                f"weights into {self._file}, for example `layer: {{{layer}}}`, and check `key` "
                "and `backends`"
            )
        if not value.isascii() or not value.isdigit():
            raise PortError(
                f"Envoy's runtime holds {key}: {value[:50]!r}, which is not a whole number; "
                f"correct it in {self._file} or in the admin's layer"
            )
        return int(value)

    def _refuse_strangers(self, shown: _Shown) -> None:
        """Refuse to name shares while clusters we were not told of carry traffic."""
        prefix = f"{self._options.key}."
        for key, value in shown.final.items():
            cluster = key.removeprefix(prefix)
            stranger = key.startswith(prefix) and "." not in cluster
            if stranger and key not in self._keys.values() and value != "0":
                raise PortError(
                    f"Envoy's runtime gives {value} to the cluster {cluster!r}, which is not among "
                    "the router's backends; add it to `backends` or remove the key"
                )


def _typed(value: str) -> Any:
    """A value as it stood in the file: the admin shows numbers and words alike as text."""
    try:
        number = json.loads(value)
    except ValueError:
        return value
    return number if isinstance(number, int | float) else value


def _overridden(shown: _Shown, wanted: Mapping[str, int], admin: str) -> str | None:
    """Whether a later layer of Envoy's runtime, which wins, hides the file's weight."""
    for key, weight in wanted.items():
        values = shown.values.get(key, ())
        if str(weight) not in values or shown.final[key] == str(weight):
            continue
        last = max(index for index, value in enumerate(values) if value)
        layer = shown.layers[last] if last < len(shown.layers) else f"number {last + 1}"
        keys = "&".join(f"{key}=" for key in wanted)
        return (
            f"the weight is in the runtime file, but Envoy's runtime layer {layer!r} overrides "
            f"{key} with {values[last]}, set by hand or by another program; clear it: "
            f"curl -X POST '{masked(admin)}/runtime_modify?{keys}'"
        )
    return None


def _shares(weights: Mapping[str, int]) -> Split:
    """Weights of any total as tenths of a percent that add up to 100 %, nothing but 0 at 0."""
    total = sum(weights.values())
    if not total:
        raise PortError(
            "every weight in Envoy's runtime is 0, so every request fails; give one backend all"
        )
    exact = {name: weight * FULL.permille / total for name, weight in weights.items()}
    shares = {name: max(int(share), int(share > 0)) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: exact[name] - shares[name], reverse=True)
    missing = FULL.permille - sum(shares.values())
    if missing < 0:  # tiny shares were rounded up to what can be said
        shares[max(shares, key=lambda name: shares[name])] += missing
    for name in by_remainder[: max(0, missing)]:
        shares[name] += 1
    return {name: Weight(share) if share else ZERO for name, share in shares.items()}
