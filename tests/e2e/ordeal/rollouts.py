"""Rollouts, one after another, of one service: started, played through Slack, and judged."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from adapters.stores.redis import RedisStore
from bot.core.canary import AwaitingDecision, Canary, Preparing, RolledBack, RollingBack
from bot.demo.behaviour import Fault
from bot.demo.loopback import get
from bot.ports import Happening, PortError, Record
from ordeal.faults import Mischief
from ordeal.layout import ARMS, PERCENT, REVISIONS, WINDOW, Shop
from ordeal.oracle import Evidence, end_of, problems, shows_end
from ordeal.people import ADA, GRACE, People
from ordeal.scripts import Script, draw
from ordeal.watch import Watch, Watcher

LOOK: Final = 0.25
PATIENCE: Final = 120.0
"""Seconds within which a rollout must end, whatever is done to the pieces."""
SHOWN: Final = 30.0
"""Seconds within which the message must show the end."""
LOST: Final = 10.0
"""Seconds without a record, in a store that answers, after which it is lost."""
AGAIN: Final = 4.0
"""Seconds after which people repeat what had no effect."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one rollout went."""

    service: str
    script: Script
    canary_id: str
    end: str
    seconds: float
    faults: tuple[str, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        kinds = Counter(self.faults).items()
        hits = ", ".join(f"{n} {name}" if n > 1 else name for name, n in kinds) or "undisturbed"
        wrong = "".join(f"\n    WRONG: {each}" for each in self.problems)
        return (
            f"{self.canary_id or self.service:14} {self.script.story:11} -> {self.end:24} "
            f"{self.seconds:5.1f} s  [{hits}]{wrong}"
        )


@dataclass(slots=True)
class Crew:
    """Whoever deploys one service.

    Attributes:
        tell: is given every result as it comes.

    """

    shop: Shop
    store: RedisStore
    people: People
    watcher: Watcher
    mischief: Mischief
    dice: random.Random
    tell: Callable[[Result], None]
    results: list[Result] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def watch(self) -> Watch:
        """What Envoy carries of it."""
        return self.watcher.watches[self.shop.name]

    async def work(self, enough: Callable[[], bool]) -> None:
        """Roll out again and again."""
        while not enough():
            await self.roll_out(draw(self.dice, WINDOW))

    async def roll_out(self, script: Script) -> Result:
        """Do one rollout; give how it went."""
        began = time.monotonic()
        rollout = _Rollout(self, script, f"r{next(self._numbers) % REVISIONS}")
        found: list[str]
        end = ""
        try:
            async with asyncio.timeout(PATIENCE):
                await rollout.play()
            found = await rollout.judge()
        except RecordLostError as error:
            found, end = [str(error)], "record lost"
        except TimeoutError:
            found = [f"{self.shop.name} ({script.story}): no end within {PATIENCE:g} s"]
            found.append(await rollout.state())
        record = rollout.record
        result = Result(
            self.shop.name,
            script,
            rollout.canary_id,
            end or (end_of(record.canary) if record else "no record"),
            time.monotonic() - began,
            tuple(self.mischief.during(began, time.monotonic())),
            tuple(found),
        )
        self.results.append(result)
        self.tell(result)
        return result


class RecordLostError(Exception):
    """The store answers, and knows nothing of a canary it has acknowledged."""


class _Rollout:
    """One of them, under way."""

    def __init__(self, crew: Crew, script: Script, revision: str) -> None:
        self._crew = crew
        self._script = script
        self._revision = revision
        self._began = time.monotonic()
        self._since = f"{time.time() - 5:.6f}"  # as a ts: what was said before is not about this
        self._arm = ""
        self._errors_at: datetime | None = None
        self._traffic_at: float | None = None
        self._acted_at = float("-inf")
        self._gone_at: float | None = None
        self._aborted = False
        self.record: Record | None = None

    @property
    def canary_id(self) -> str:
        """Its canary, once there is one."""
        return self.record.canary.id if self.record else ""

    async def play(self) -> None:
        """Deploy, start, and do what the script says until it has ended."""
        crew = self._crew
        await self._clear()
        split = await crew.watcher.split(crew.shop)
        self._arm = next(arm for arm in ARMS if split[arm] == 0)
        self._deploy(self._script.fault)
        crew.watch.seen.clear()
        full = (100,) if self._script.may_promote else ()
        crew.watch.expect(self._arm, 0, PERCENT, *full)
        while self.record is None:
            await self._start()
        while not self.record.canary.is_finished:
            await asyncio.sleep(LOOK)
            await self._look()
            await self._act(self.record.canary)

    async def judge(self) -> list[str]:
        """What is wrong with its end, once it has had the time to show."""
        assert self.record is not None
        crew, canary = self._crew, self.record.canary
        share = 100 if end_of(canary) == "promoted" else 0
        crew.watch.expect(self._arm, share)
        deadline = time.monotonic() + SHOWN
        said = await crew.people.said(crew.shop.channel, canary.id, self._since)
        while said is None or not shows_end(canary, said):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(LOOK)
            said = await crew.people.said(crew.shop.channel, canary.id, self._since) or said
        if said is None:
            return [f"{canary.id}: the workspace does not answer"]
        seen = Evidence(
            script=self._script,
            canary=canary,
            stream=await self._stream(canary),
            said=said,
            split=await crew.watcher.split(crew.shop),
            carried=frozenset(crew.watch.seen),
            errors_at=self._errors_at,
            faults=tuple(crew.mischief.during(self._began, time.monotonic())),
            aborted=self._aborted,
        )
        return problems(seen)

    async def state(self) -> str:
        """Where it got stuck."""
        phase = self.record.canary.phase if self.record else "no record"
        intents = [each.kind for each in self.record.canary.intents] if self.record else []
        return f"{self.canary_id}: {phase}; still to do: {intents}; {self._crew.watch.shares}"

    async def _clear(self) -> None:
        """Wait for the end of whatever else is under way; a start may be late by a frozen bot."""
        while True:
            with suppress(PortError):
                live = await self._crew.store.live(self._crew.shop.name)
                if live is None:
                    return
                await self._type(f"abort {live.canary.id}")
            await asyncio.sleep(1)

    def _deploy(self, fault: Fault) -> None:
        port = self._crew.shop.ports[self._arm]
        query = f"revision={self._revision}&fault={fault.value}&onset=0"
        assert get(port, f"/deploy?{query}") is not None, "the town does not answer"
        if fault is not Fault.NONE:
            self._errors_at = datetime.now(UTC)

    async def _start(self) -> None:
        shop = self._crew.shop
        await self._type(f"start {shop.name} {self._revision}{self._script.start}")
        until = time.monotonic() + AGAIN
        while time.monotonic() < until and self.record is None:
            with suppress(PortError):
                for canary in await self._crew.store.recent(shop.name, 3):
                    if canary.revision == self._revision:
                        self.record = await self._crew.store.load(canary.id)
            await asyncio.sleep(LOOK / 2)

    async def _look(self) -> None:
        assert self.record is not None
        with suppress(PortError):
            found = await self._crew.store.load(self.canary_id)
            self._mind_a_loss(found)
            self.record = found or self.record
        canary = self.record.canary
        if self._traffic_at is None and canary.asked.permille > 0:
            self._traffic_at = time.monotonic()
        match canary.phase:
            case RollingBack():
                self._crew.watch.allowed -= {100}
            case RolledBack():
                self._crew.watch.allowed -= {100, PERCENT}
            case _:
                pass

    def _mind_a_loss(self, found: Record | None) -> None:
        """A failover may lose what the old primary had acknowledged and not passed on."""
        if found is not None:
            self._gone_at = None
            return
        now = time.monotonic()
        self._gone_at = self._gone_at or now
        if now - self._gone_at > LOST:
            raise RecordLostError(
                f"{self.canary_id} ({self._script.story}): Redis has lost its record, which was "
                f"acknowledged; Envoy carries {self._crew.watch.shares}"
            )

    async def _act(self, canary: Canary) -> None:
        now = time.monotonic()
        since = self._traffic_at if self._traffic_at is not None else now
        due = now - since >= self._script.moment
        match self._script.story:
            case "late errors" if due and self._errors_at is None and self._traffic_at is not None:
                self._deploy(Fault.ERRORS)
            case "abort" if due and not _over(canary) and now - self._acted_at > AGAIN:
                self._acted_at, self._aborted = now, True
                await self._do(canary, "abort", "canary_abort", ADA)
            case "approval" if _asks(canary) and now - self._acted_at > AGAIN:
                self._acted_at = now
                await self._do(canary, "approve", "canary_approve", GRACE)
            case _:
                pass

    async def _do(self, canary: Canary, verb: str, action: str, user: str) -> None:
        crew = self._crew
        where = (crew.shop.channel, canary.id, action, self._since)
        if not self._script.clicks or not await crew.people.click(user, *where):
            await self._type(f"{verb} {canary.id}", user)

    async def _type(self, text: str, user: str = ADA) -> None:
        await self._crew.people.command(user, self._crew.shop.channel, f"/canary {text}")

    async def _stream(self, canary: Canary) -> tuple[Happening, ...]:
        while True:
            with suppress(PortError):
                return await self._crew.store.happenings(canary.id)
            await asyncio.sleep(LOOK)


def _over(canary: Canary) -> bool:
    return canary.is_ended or isinstance(canary.phase, RollingBack | Preparing)


def _asks(canary: Canary) -> bool:
    return isinstance(canary.phase, AwaitingDecision)
