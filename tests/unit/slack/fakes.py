"""Time that is owned, a Slack that does as it is told, and an engine that writes down."""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from builders import a_canary, a_plan
from slack_sdk.errors import SlackApiError
from unit.slack.support import NOW, Json, risky_plan

from bot.core.assessment import Assessment
from bot.core.canary import Canary, Cause, RolledBack
from bot.core.change import Change
from bot.core.commands import Command, Start
from bot.core.freezes import Freeze
from bot.core.machine import Refused
from bot.core.plan import Actor, Gate, Plan
from bot.core.undoing import UndoRequest
from bot.engine.launching import Launcher, Starter
from bot.ports import Clock


class Wall:
    """The wall clock, which stands still unless it is moved."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        """Aware UTC."""
        return self.at


class VirtualTime:
    """A monotonic clock and its sleep; time jumps to the next sleeper once all else is quiet."""

    def __init__(self, wall: Wall | None = None) -> None:
        self.seconds = 1000.0
        self.wall = wall
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._started: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """Seconds."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Sleep until the time has been moved so far."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.seconds + seconds, next(self._numbers), done))
        await done

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin something that waits for the time."""
        task = asyncio.get_running_loop().create_task(work)
        self._started.add(task)
        task.add_done_callback(self._started.discard)
        return task

    async def settle(self) -> None:
        """Let everything run that can run now."""
        for _ in range(40):
            await asyncio.sleep(0)

    async def run_for(self, seconds: float) -> None:
        """Move the time, waking every sleeper at its moment."""
        end = self.seconds + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, done = heapq.heappop(self._sleepers)
            if done.done():
                continue
            self._move(at)
            done.set_result(None)
            await self.settle()
        self._move(end)
        await self.settle()

    def _move(self, to: float) -> None:
        if self.wall is not None:
            self.wall.at += timedelta(seconds=to - self.seconds)
        self.seconds = to


class Answer(dict[str, Any]):
    """An answer of the Web API, as the SDK gives it."""

    def __init__(self, body: Json, status_code: int = 200, headers: Json | None = None) -> None:
        super().__init__(body)
        self.status_code = status_code
        self.headers = headers or {}


def slack_error(code: str, retry_after: int | None = None) -> SlackApiError:
    """What the SDK raises when Slack answers with an error."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    status = 200 if retry_after is None else 429
    return SlackApiError(code, Answer({"ok": False, "error": code}, status, headers))  # type: ignore[no-untyped-call] # the SDK leaves it untyped


@dataclass
class FakeSlack:
    """The Web API's calls the bot makes, recorded; `fail` is asked before each."""

    now: Callable[[], float] = lambda: 0.0
    calls: list[tuple[float, str, Json]] = field(default_factory=list)
    fail: Callable[[str, Json], Exception | None] = lambda _method, _arguments: None
    members: dict[str, list[str]] = field(default_factory=dict)
    standing: list[list[Json]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    proxy: str | None = None
    ssl: None = None

    def made(self, method: str) -> list[Json]:
        """Arguments of every call of this method, in order."""
        return [arguments for _, name, arguments in self.calls if name == method]

    def times(self, method: str) -> list[float]:
        """When this method was called."""
        return [at for at, name, _ in self.calls if name == method]

    async def _call(self, method: str, arguments: Json) -> None:
        self.calls.append((self.now(), method, arguments))
        if self.hold is not None:
            await self.hold.wait()
        error = self.fail(method, arguments)
        if error is not None:
            raise error

    async def files_getUploadURLExternal(self, **arguments: Any) -> NoReturn:  # noqa: N802 - as below
        """Pictures are tested on the local workspace."""
        raise AssertionError(arguments)

    files_completeUploadExternal = files_getUploadURLExternal  # noqa: N815 - as above

    async def chat_postMessage(self, **arguments: Any) -> Answer:  # noqa: N802 - the SDK's own name
        """Post."""
        await self._call("chat.postMessage", arguments)
        ts = f"{len(self.calls)}.000100"
        return Answer({"ok": True, "channel": arguments["channel"], "ts": ts})

    async def chat_delete(self, **arguments: Any) -> Answer:
        """Delete."""
        await self._call("chat.delete", arguments)
        return Answer({"ok": True})

    async def conversations_history(self, **arguments: Any) -> Answer:
        """What stands in a channel."""
        return await self._read("conversations.history", arguments)

    async def conversations_replies(self, **arguments: Any) -> Answer:
        """What stands in a thread."""
        return await self._read("conversations.replies", arguments)

    async def _read(self, method: str, arguments: Json) -> Answer:
        await self._call(method, arguments)
        page = int(arguments.get("cursor") or 0)
        more = str(page + 1) if page + 1 < len(self.standing) else ""
        return Answer(
            {
                "ok": True,
                "messages": self.standing[page] if self.standing else [],
                "response_metadata": {"next_cursor": more},
            }
        )

    async def chat_postEphemeral(self, **arguments: Any) -> Answer:  # noqa: N802 - the SDK's own name
        """Show to one person."""
        await self._call("chat.postEphemeral", arguments)
        return Answer({"ok": True})

    async def chat_update(self, **arguments: Any) -> Answer:
        """Edit."""
        await self._call("chat.update", arguments)
        return Answer({"ok": True})

    async def usergroups_users_list(self, **arguments: Any) -> Answer:
        """Members of a user group."""
        await self._call("usergroups.users.list", arguments)
        return Answer({"ok": True, "users": self.members.get(arguments["usergroup"], [])})

    async def conversations_members(self, **arguments: Any) -> Answer:
        """Members of a channel, two a page."""
        await self._call("conversations.members", arguments)
        first = int(arguments.get("cursor") or 0)
        users = self.members.get(arguments["channel"], [])
        more = str(first + 2) if first + 2 < len(users) else ""
        shown = {"members": users[first : first + 2], "response_metadata": {"next_cursor": more}}
        return Answer({"ok": True, **shown})

    async def auth_test(self) -> Answer:
        """Who the bot is."""
        await self._call("auth.test", {})
        return Answer({"ok": True, "team_id": "T0CANARY1", "url": "https://works.slack.com/"})


class FakeCatalog:
    """Two services and two tiers."""

    def service_names(self) -> tuple[str, ...]:
        """Every service."""
        return ("payments", "shop")

    def tier_names(self) -> tuple[str, ...]:
        """Every tier."""
        return ("safe", "risky")

    def channel_of(self, service: str) -> str:
        """The channel of every service."""
        return "C0DEPLOYS"

    def plan_for(
        self,
        service: str,
        *,
        tier: str | None,
        percent: str | None,
        window: str | None,
        assessment: Assessment | None = None,
    ) -> Plan:
        """The plan of this tier."""
        if percent == "500":
            raise ValueError("500 % is more than all the traffic. Write for example 5.")
        due = assessment.tier if assessment else "safe"
        plan = risky_plan() if (tier or due) == "risky" else a_plan()
        plan = replace(plan, lowered_from="risky" if due == "risky" and tier == "safe" else "")
        return replace(plan, assessment=assessment)

    def keepers(self, service: str) -> Gate:
        """The risky tier's approvers."""
        return risky_plan().decision


@dataclass
class FakeAssessor:
    """Finds of every change what it is told to find."""

    found: Assessment = field(default_factory=lambda: Assessment("safe"))
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        """What a start of this revision would bring."""
        self.asked.append((service, revision))
        return self.found

    async def stable(self, service: str) -> str | None:
        """Always the same."""
        return "v1"


def a_launcher(
    starter: Starter,
    catalog: "FakeCatalog",
    clock: Clock,
    new_canary_id: Callable[[str], str],
    assessor: FakeAssessor | None = None,
) -> Launcher:
    """The real way to start a canary, around these."""
    return Launcher(
        starter=starter,
        planner=catalog,
        assessor=assessor or FakeAssessor(),
        clock=clock,
        new_canary_id=new_canary_id,
    )


@dataclass
class FakeDesk:
    """An engine that does as it is told and writes down what it was asked."""

    canaries: dict[str, Canary] = field(default_factory=dict)
    answer: Refused | Exception | None = None
    hang: asyncio.Event | None = None
    started: list[Start] = field(default_factory=list)
    commands: list[tuple[str, Command]] = field(default_factory=list)
    undone: list[UndoRequest] = field(default_factory=list)
    frozen: dict[str, Freeze] = field(default_factory=dict)

    def having(self, *canaries: Canary) -> "FakeDesk":
        """The same desk with these canaries."""
        self.canaries |= {canary.id: canary for canary in canaries}
        return self

    async def start(self, start: Start) -> Canary | Refused:
        """Begin one."""
        self.started.append(start)
        return await self._answer(
            a_canary(id=start.canary_id, service=start.service, revision=start.revision)
        )

    async def command(self, canary_id: str, command: Command) -> Canary | Refused:
        """Take a command: an abort is done, others change nothing."""
        self.commands.append((canary_id, command))
        canary = self.canaries[canary_id]
        if command.kind == "abort":
            cause = Cause("abort", f"aborted by {command.by.name}", command.by)
            canary = replace(canary, phase=RolledBack(cause, command.at, timedelta(seconds=0.2)))
        return await self._answer(canary)

    async def _answer(self, canary: Canary) -> Canary | Refused:
        if self.hang is not None:
            await self.hang.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or canary

    async def find(self, canary_id: str) -> Canary | None:
        """By id."""
        return self.canaries.get(canary_id)

    async def live(self, service: str) -> Canary | None:
        """By service."""
        return next((c for c in await self.all_live() if c.service == service), None)

    async def all_live(self) -> tuple[Canary, ...]:
        """All that have not ended."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return tuple(c for c in self.canaries.values() if not c.is_ended)

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """All."""
        found = (c for c in self.canaries.values() if service in {None, c.service})
        return tuple(found)[:limit]

    async def undo(self, request: UndoRequest) -> Canary | Refused:
        """Take the service's last promotion back, whatever it was."""
        self.undone.append(request)
        last = next(c for c in self.canaries.values() if c.service == request.service)
        return await self._answer(replace(last, id=request.canary_id, undoes=last.id))

    async def freeze(self, freeze: Freeze) -> None:
        """Keep it."""
        standing = self.frozen.get(freeze.key)
        if standing is None or not standing.withstands(freeze):
            self.frozen[freeze.key] = freeze

    async def unfreeze(
        self, scope: str, by: Actor, since: datetime | None = None
    ) -> Freeze | None:
        """Forget it."""
        found = self.frozen.get(scope)
        if found is None or since not in {None, found.since}:
            return None
        return self.frozen.pop(scope)

    async def freezes(self) -> tuple[Freeze, ...]:
        """All."""
        return tuple(self.frozen.values())

    async def revisions(self, service: str) -> tuple[str, ...]:
        """None that are known."""
        return ()
