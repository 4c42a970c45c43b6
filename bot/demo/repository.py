"""The shop's code, as a git repository of two commits: what v2 changes is read from it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bot.demo.processes import DemoError
from bot.demo.scenarios import CODE, Scenario

PATIENCE: Final = 20.0
AUTHOR: Final = ("Ada Lovelace", "ada@shop.example")


def change_source(folder: Path, scenario: Scenario) -> dict[str, Any]:
    """Write the repository into the demo's folder and answer how the bot is to read it.

    Where there is no git on this machine, the same change is told in the configuration.

    Raises:
        DemoError: git is there, and the repository cannot be made.

    """
    git = shutil.which("git")
    if git is None:
        return told(scenario)
    repository = folder / "shop"
    shutil.rmtree(repository, ignore_errors=True)
    repository.mkdir(parents=True)
    _run(git, repository, "init", "--quiet")
    for revision, files in (("v1", CODE), ("v2", scenario.change)):
        _write(repository, files)
        _run(git, repository, "add", "--all")
        _run(git, repository, "commit", "--quiet", "--message", f"shop {revision}")
        _run(git, repository, "tag", revision)
    return {"adapter": "git", "repository": str(repository)}


def told(scenario: Scenario) -> dict[str, Any]:
    """What v2 changes, as values of the configuration."""
    files = [_said(path, text) for path, text in scenario.change.items()]
    commits = [{"id": "v2", "author": AUTHOR[1], "title": "shop v2"}]
    return {"adapter": "memory", "changes": {"v2": {"files": files, "commits": commits}}}


def _said(path: str, text: str) -> dict[str, Any]:
    before = CODE.get(path)
    lines = {"added": text.count("\n"), "after": text}
    if before is None:
        return {"path": path, "status": "added", **lines}
    return {"path": path, "before": before, "removed": before.count("\n"), **lines}


def _write(repository: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        place = repository / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def _run(git: str, repository: Path, *words: str) -> None:
    """Run git by nobody's settings but ours: no signing, no hooks, no name of this machine's user."""
    name, email = AUTHOR
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(repository),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
    try:
        subprocess.run(
            [git, *words],
            cwd=repository,
            env=environment,
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip()
        raise DemoError(f"the shop's repository could not be made: git says: {why}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DemoError(f"the shop's repository could not be made: {error}") from error
