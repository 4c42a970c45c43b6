"""Each change source over the same history, the two code hosts as doubles on loopback."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contracts.forge_server import TOKEN, Forge, serving
from contracts.forges import GitHub, GitLab
from contracts.histories import History

from adapters.changes.git import GitChanges, GitOptions
from adapters.changes.github import GitHubChanges, GitHubOptions
from adapters.changes.gitlab import GitLabChanges, GitLabOptions
from adapters.changes.memory import MemoryChanges
from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.registry import Surroundings
from bot.core.change import Change, ChangedFile, Seen, Unseen
from bot.ports import ChangeSource

TOKEN_NAME = "SHOP_TOKEN"


def everything(_path: str) -> bool:
    """Every file's text is wanted."""
    return True


def nothing(_path: str) -> bool:
    """No file's text is wanted."""
    return False


def seen(told: Seen) -> Change:
    """What was told, which must be a change."""
    assert isinstance(told, Change), told
    return told


def unseen(told: Seen) -> str:
    """Why nothing could be told."""
    assert isinstance(told, Unseen), told
    return told.reason


def by_path(change: Change) -> dict[str, ChangedFile]:
    """The files of a change by path, each once."""
    found = {file.path: file for file in change.files}
    assert len(found) == len(change.files)
    return found


def what(change: Change) -> set[tuple[str, str, str]]:
    """Status, path and earlier path of each file."""
    return {(file.status, file.path, file.previous_path) for file in change.files}


@dataclass
class Bench:
    """A source, made anew with other options as often as is needed.

    Attributes:
        forge: the double it asks, if it asks one.

    """

    kind: str
    history: History
    make: Callable[..., ChangeSource]
    forge: Forge | None = None

    @property
    def host(self) -> Forge:
        """The double, of a source that asks one."""
        assert self.forge is not None
        return self.forge


@asynccontextmanager
async def bench_of(kind: str, history: History) -> AsyncIterator[Bench]:
    """A bench of this kind for as long as the block."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(new_client())
        around = Surroundings("shop", SystemClock(), http, history.folder.parent)
        match kind:
            case "git":
                yield Bench(kind, history, lambda **more: _git(history, around, more))
            case "memory":
                # It is told what git sees, so that all tests know what to expect.
                memory = MemoryChanges()
                for head in ("v2", "v1-side"):
                    told = await _git(history, around, {}).compare("v1", head, everything)
                    memory.say(replace(seen(told), base="", source="memory"))
                yield Bench(kind, history, lambda **_more: memory)
            case "github":
                forge = await stack.enter_async_context(serving(GitHub(history)))
                yield Bench(kind, history, lambda **more: _github(forge, around, more), forge)
            case _:
                forge = await stack.enter_async_context(serving(GitLab(history)))
                yield Bench(kind, history, lambda **more: _gitlab(forge, around, more), forge)


def _git(history: History, around: Surroundings, more: dict[str, Any]) -> ChangeSource:
    options = {"repository": Path(history.folder).name, **more}
    return GitChanges(GitOptions.model_validate(options), around)


def _github(forge: Forge, around: Surroundings, more: dict[str, Any]) -> ChangeSource:
    return GitHubChanges(GitHubOptions.model_validate(_hosted(forge) | more), around)


def _gitlab(forge: Forge, around: Surroundings, more: dict[str, Any]) -> ChangeSource:
    return GitLabChanges(GitLabOptions.model_validate(_hosted(forge) | more), around)


def _hosted(forge: Forge) -> dict[str, Any]:
    return {"url": forge.url, "repository": forge.repository, "token_env": TOKEN_NAME}


def with_token(environment: Any) -> None:
    """Put the token where the options look for it."""
    environment.setenv(TOKEN_NAME, TOKEN)
