"""The one place where effects are carried out: each becomes calls of ports, and then an event.

Everything here is safe to do twice. A source that fails or hangs becomes `NoData`, never an
exception, so that no source can stand between a breach and the flip.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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
    Page,
    SetWeight,
    ShowEnd,
    ShowPicture,
    Tell,
)
from bot.core.events import (
    EndShown,
    EvidenceGathered,
    Observed,
    Paged,
    PictureShown,
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
from bot.core.slo import Arms, NoData, Readiness
from bot.engine.sources import (
    all_of,
    both_ready,
    check,
    counted,
    counted_before,
    logged,
    read,
    read_split,
)
from bot.engine.timing import timed
from bot.ports import (
    Alarm,
    Clock,
    Conflict,
    Pager,
    PortError,
    ServicePorts,
    Services,
    StatusBoard,
    TrafficRouter,
    Turn,
)
from bot.ports.meters import NO_METERS, Meters

T = TypeVar("T")

FLIP_DEADLINE: Final = timedelta(seconds=10)
PAST_DEADLINE: Final = timedelta(seconds=10)
POST_DEADLINE: Final = timedelta(seconds=20)
PICTURE_DEADLINE: Final = timedelta(seconds=90)
"""To draw it takes a second of a whole core, and others may be drawn before it."""

LINES_READ: Final = 100
EVIDENCE_LINES: Final = 6
"""Of the lines read, the kinds that are shown."""

Past = Callable[[str], Awaitable[Sequence[Prepared | Observed]]]
"""Everything that was seen of a canary, by its id, oldest first."""

PICTURE_FOR: Final = timedelta(hours=1)

log = structlog.get_logger()


class EffectRunner:
    """Carries out effects for all canaries of this process."""

    def __init__(
        self,
        services: Services,
        board: StatusBoard,
        clock: Clock,
        pager: Pager | None = None,
        *,
        past: Past | None = None,
        meters: Meters = NO_METERS,
    ) -> None:
        self._meters = meters
        self._past = past
        self._services = services
        self._board = board
        self._pager = pager
        self._clock = clock

    def serves(self, service: str) -> bool:
        """Whether there are adapters for a service."""
        return service in self._services

    async def split(self, service: str) -> Split | NoData:
        """How a service's traffic is split, from the router itself."""
        return await read_split(self._services[service].router)

    async def readiness(self, service: str, backend: str) -> Readiness | NoData | None:
        """How a backend is; None where nobody can ask it."""
        probe = self._services[service].readiness
        return await check(probe, backend) if probe is not None else None

    async def revision(self, service: str, backend: str) -> str | None:
        """What a backend says it runs; None where it does not tell, or cannot be asked."""
        answer = await self.readiness(service, backend)
        return answer.revision if isinstance(answer, Readiness) else None

    @timed
    async def prepare(self, canary: Canary) -> Prepared:
        """Read the split and ask every backend in it how it is."""
        ports = self._ports(canary)
        split = await read_split(ports.router)
        readiness: dict[str, Readiness | NoData] = {}
        if ports.readiness is not None and not isinstance(split, NoData):
            answers = await asyncio.gather(*(check(ports.readiness, name) for name in split))
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
            read(
                "metrics",
                lambda: counted_before(ports, stable, since, until, tick),
                PAST_DEADLINE,
            ),
            read("logs", lambda: logged(ports, Arms(stable, stable), since, until), PAST_DEADLINE),
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

    @timed
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

    @timed
    async def observe(self, canary: Canary, effect: Observe) -> Observed:
        """Read every source at once; the look covers `[effect.since, now)`."""
        ports, arms, until = self._ports(canary), effect.arms, self._clock.now()
        metrics, logs, readiness, split = await all_of(
            ("metrics", lambda: counted(ports, arms)),
            ("logs", lambda: logged(ports, arms, effect.since, until)),
            ("readiness", lambda: both_ready(ports.readiness, arms)),
            ("router", ports.router.split),
        )
        return Observed(until, effect.since, metrics, logs, readiness, split)

    @timed
    async def outward(
        self, canary: Canary, effect: Outward, turn: Turn
    ) -> EvidenceGathered | ThreadOpened | Told | EndShown | PictureShown:
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
                await _posted(self._board.settle(canary, turn))
                return EndShown(self._clock.now())
            case ShowPicture():
                await self._picture(canary, turn)
                return PictureShown(self._clock.now())

    async def _picture(self, canary: Canary, turn: Turn) -> None:
        """A courtesy: what keeps it from being shown for an hour may keep it so for good."""
        try:
            seen = await self._past(canary.id) if self._past is not None else ()
            if seen:
                await _posted(self._board.picture(canary, seen, turn), PICTURE_DEADLINE)
        except Conflict:
            raise
        except Exception as error:
            age = self._clock.now() - (canary.last_look_at or canary.created_at)
            if isinstance(error, PortError) and age < PICTURE_FOR:
                raise
            log.warning("picture.given_up", canary_id=canary.id, reason=str(error))

    async def retract(self, canary: Canary, effect: Outward) -> None:
        """Take back what another replica has said as well.

        Raises:
            PortError: it cannot be taken back now.

        """
        match effect:
            case OpenThread():
                await _posted(self._board.retract(canary, None))
            case Tell(note=note):
                await _posted(self._board.retract(canary, note))
            case GatherEvidence() | ShowEnd() | ShowPicture():
                pass

    @timed
    async def page(self, canary: Canary, effect: Page) -> Paged:
        """Call the webhook, where there is one.

        Raises:
            PortError: it was not taken; to be tried again later.

        """
        if self._pager is not None:
            now, arms = self._clock.now(), canary.arms
            lasts = (now - effect.since).total_seconds()
            where = f" Look at the router: all traffic belongs on {arms.stable}." if arms else ""
            text = (
                f"canarybot: the rollback of {canary.service} {canary.revision} has not been "
                f"confirmed for {lasts:.0f} s, the canary may still carry traffic. The router "
                f"says: {effect.trouble}.{where}"
            )
            key = f"{canary.id}-rollback"
            await self._pager.page(
                Alarm(key, canary.service, canary.revision, canary.id, effect.since, text)
            )
        return Paged(self._clock.now())

    async def _evidence(
        self, canary: Canary, arms: Arms[str], since: datetime, until: datetime
    ) -> tuple[str, ...]:
        logs = self._ports(canary).logs
        if logs is None:
            return ()
        lines = await read("logs", lambda: logs.lines(arms, since, until, LINES_READ))
        if isinstance(lines, NoData):
            return ()
        tracks = canary.judge.signatures.items()
        known = {name for name, track in tracks if track.stable or track.known}
        return distinct(lines, EVIDENCE_LINES, known)

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


async def _posted(post: Awaitable[T], deadline: timedelta = POST_DEADLINE) -> T:
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            return await post
    except TimeoutError:
        raise PortError(
            f"Slack did not answer within {deadline.total_seconds():g} s; it is tried again"
        ) from None
    except (PortError, Conflict):
        raise
    except Exception as error:
        log.exception("board.failed")
        raise PortError(f"the message could not be posted: {error!r}") from error
