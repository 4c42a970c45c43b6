"""The one place where effects are carried out: each becomes calls of ports, and then an event.

Everything here is safe to do twice. A source that fails or hangs becomes `NoData`, never an
exception, so that no source can stand between a breach and the flip.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog

from bot.core import learning
from bot.core.canary import Canary
from bot.core.effects import (
    GatherEvidence,
    Observe,
    OpenThread,
    Outward,
    SetWeight,
    ShowEnd,
    Tell,
)
from bot.core.events import (
    EndShown,
    EvidenceGathered,
    Observed,
    Prepared,
    ShiftFailed,
    ThreadOpened,
    Told,
    WeightApplied,
)
from bot.core.judge import JudgeState
from bot.core.logs import distinct
from bot.core.plan import ZERO, Split
from bot.core.preparing import ready_arms
from bot.core.reading import Reading
from bot.core.slo import Arms, LogCounts, NoData, Readiness
from bot.ports import (
    Clock,
    Conflict,
    MetricHistory,
    PortError,
    ReadinessProbe,
    ServicePorts,
    Services,
    Snapshot,
    StatusBoard,
    TrafficRouter,
    Turn,
)

T = TypeVar("T")

FLIP_DEADLINE: Final = timedelta(seconds=10)
READ_DEADLINE: Final = timedelta(seconds=5)
PAST_DEADLINE: Final = timedelta(seconds=10)
POST_DEADLINE: Final = timedelta(seconds=20)
LINES_READ: Final = 100
EVIDENCE_LINES: Final = 6
"""Of the lines read, the kinds that are shown."""

log = structlog.get_logger()


class EffectRunner:
    """Carries out effects for all canaries of this process."""

    def __init__(self, services: Services, board: StatusBoard, clock: Clock) -> None:
        self._services = services
        self._board = board
        self._clock = clock

    def serves(self, service: str) -> bool:
        """Whether there are adapters for a service."""
        return service in self._services

    async def split(self, service: str) -> Split | NoData:
        """How a service's traffic is split, from the router itself."""
        return await read_split(self._services[service].router)

    async def revision(self, service: str, backend: str) -> str | None:
        """What a backend says it runs; None where it does not tell, or cannot be asked."""
        probe = self._services[service].readiness
        answer = await _check(probe, backend) if probe is not None else None
        return answer.revision if isinstance(answer, Readiness) else None

    async def prepare(self, canary: Canary) -> Prepared:
        """Read the split and ask every backend in it how it is."""
        ports = self._ports(canary)
        split = await read_split(ports.router)
        readiness: dict[str, Readiness | NoData] = {}
        if ports.readiness is not None and not isinstance(split, NoData):
            answers = await asyncio.gather(*(_check(ports.readiness, name) for name in split))
            readiness = dict(zip(split, answers, strict=True))
        arms = None if isinstance(split, NoData) else ready_arms(split, readiness, canary.revision)
        if arms is None:
            return Prepared(self._clock.now(), split, readiness)
        memory, past = await self._learnt(canary, arms.stable)
        return Prepared(self._clock.now(), split, readiness, memory, past)

    async def _learnt(self, canary: Canary, stable: str) -> tuple[JudgeState, str]:
        """What stable's past teaches the judge; without one it begins with an open mind."""
        ports, until = self._ports(canary), self._clock.now()
        since, tick = until - learning.span(canary.plan.tick), canary.plan.tick
        counters, logs = await asyncio.gather(
            _read(
                "metrics",
                lambda: _counted_before(ports, stable, since, until, tick),
                PAST_DEADLINE,
            ),
            _read(
                "logs", lambda: _logged(ports, Arms(stable, stable), since, until), PAST_DEADLINE
            ),
        )
        seen = () if isinstance(counters, NoData) else counters
        memory, ticks = await asyncio.to_thread(
            learning.learnt,
            canary.judge,
            [(snapshot.at, snapshot.instances) for snapshot in seen],
            logs if isinstance(logs, NoData) else logs.stable,
        )
        if ticks:
            return memory, f"learnt from {ticks} looks at stable's past"
        why = counters.reason if isinstance(counters, NoData) else "it had no requests"
        return memory, f"judged without stable's past: {why}"

    async def set_weight(self, canary: Canary, effect: SetWeight) -> WeightApplied | ShiftFailed:
        """Set the weight and read it back: set is not done."""
        began = self._clock.now()
        trouble = await flip(self._ports(canary).router, effect, canary_id=canary.id)
        if trouble:
            return ShiftFailed(self._clock.now(), effect.weight, trouble)
        now = self._clock.now()
        log.info(
            "flip.confirmed",
            canary_id=canary.id,
            weight=str(effect.weight),
            seconds=round((now - began).total_seconds(), 3),
        )
        return WeightApplied(now, effect.weight)

    async def observe(self, canary: Canary, effect: Observe) -> Observed:
        """Read every source at once; the look covers `[effect.since, now)`."""
        ports, arms, until = self._ports(canary), effect.arms, self._clock.now()
        metrics, logs, readiness, split = await asyncio.gather(
            _read("metrics", lambda: _counted(ports, arms)),
            _read("logs", lambda: _logged(ports, arms, effect.since, until)),
            _both_ready(ports.readiness, arms),
            read_split(ports.router),
        )
        return Observed(until, effect.since, metrics, logs, readiness, split)

    async def outward(
        self, canary: Canary, effect: Outward, turn: Turn
    ) -> EvidenceGathered | ThreadOpened | Told | EndShown:
        """Tell people, or fetch what they will be told.

        Raises:
            PortError: it could not be posted now; to be tried again later.
            Conflict: the canary is another replica's now, which tells it.

        """
        match effect:
            case GatherEvidence(arms=arms, since=since, until=until):
                lines = await self._evidence(canary, arms, since, until)
                return EvidenceGathered(self._clock.now(), lines)
            case OpenThread():
                thread = await _posted(self._board.open(canary, turn))
                return ThreadOpened(self._clock.now(), thread.channel, thread.ts)
            case Tell(note=note):
                await _posted(self._board.tell(canary, note, turn))
                return Told(self._clock.now(), note.number)
            case ShowEnd():
                await _posted(self._board.settle(canary))
                return EndShown(self._clock.now())

    async def _evidence(
        self, canary: Canary, arms: Arms[str], since: datetime, until: datetime
    ) -> tuple[str, ...]:
        logs = self._ports(canary).logs
        if logs is None:
            return ()
        lines = await _read("logs", lambda: logs.lines(arms, since, until, LINES_READ))
        return () if isinstance(lines, NoData) else distinct(lines, EVIDENCE_LINES)

    def _ports(self, canary: Canary) -> ServicePorts:
        return self._services[canary.service]


async def flip(router: TrafficRouter, effect: SetWeight, **about: str) -> str:
    """Set a weight and read it back, within the deadline; why it is not so, or nothing."""
    try:
        async with asyncio.timeout(FLIP_DEADLINE.total_seconds()):
            await router.shift(effect.arms, effect.weight)
            split = await router.split()
    except PortError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {FLIP_DEADLINE.total_seconds():g} s"
    except Exception as error:  # a faulty adapter must not stop the retries
        log.exception("flip.adapter_failed", **about)
        return f"the adapter failed: {error!r}"
    found = split.get(effect.arms.canary, ZERO)
    return (
        ""
        if found == effect.weight
        else f"the router reads back {found} instead of {effect.weight}"
    )


async def read_split(router: TrafficRouter) -> Split | NoData:
    """How a router splits its traffic, within the deadline, or why it cannot be read."""
    return await _read("router", router.split)


async def _read(
    source: str, reading: Callable[[], Awaitable[T | NoData]], deadline: timedelta = READ_DEADLINE
) -> T | NoData:
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            return await reading()
    except PortError as error:
        return NoData(str(error))
    except TimeoutError:
        return NoData(f"no answer within {deadline.total_seconds():g} s")
    except Exception as error:  # a faulty adapter is a source that cannot be seen
        log.exception("source.adapter_failed", source=source)
        return NoData(f"the {source} adapter failed: {error!r}")


async def _counted(ports: ServicePorts, arms: Arms[str]) -> Reading | NoData:
    return await ports.metrics.read(arms) if ports.metrics else NoData("not configured")


async def _counted_before(
    ports: ServicePorts, backend: str, since: datetime, until: datetime, step: timedelta
) -> tuple[Snapshot, ...] | NoData:
    source = ports.metrics
    if not isinstance(source, MetricHistory):
        return NoData("its metrics keep no history")
    return await source.history(backend, since, until, step)


async def _logged(
    ports: ServicePorts, arms: Arms[str], since: datetime, until: datetime
) -> Arms[LogCounts] | NoData:
    if ports.logs is None:
        return NoData("not configured")
    return await ports.logs.events(arms, since, until)


async def _check(probe: ReadinessProbe, backend: str) -> Readiness | NoData:
    return await _read("readiness", lambda: probe.check(backend))


async def _both_ready(probe: ReadinessProbe | None, arms: Arms[str]) -> Arms[Readiness] | NoData:
    if probe is None:
        return NoData("not configured")
    canary, stable = await asyncio.gather(_check(probe, arms.canary), _check(probe, arms.stable))
    if isinstance(canary, NoData):
        return canary
    if isinstance(stable, NoData):
        return stable
    return Arms(canary, stable)


async def _posted(post: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(POST_DEADLINE.total_seconds()):
            return await post
    except TimeoutError:
        raise PortError(
            f"Slack did not answer within {POST_DEADLINE.total_seconds():g} s; it is tried again"
        ) from None
    except (PortError, Conflict):
        raise
    except Exception as error:
        log.exception("board.failed")
        raise PortError(f"the message could not be posted: {error!r}") from error
