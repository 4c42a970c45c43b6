"""Finds out what a revision changes before it begins, and what that means for its tier."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from bot.core.assessment import Assessment
from bot.core.canary import Canary, Promoted, RolledBack
from bot.core.change import Change, Seen, Unseen
from bot.core.plan import FULL
from bot.core.risk import History, Policy, wanted
from bot.core.slo import NoData
from bot.engine.effects import EffectRunner
from bot.ports import CanaryStore, ChangeSource, Clock, PortError

PATIENCE: Final = timedelta(seconds=30)
"""How long a source may take, all its retries together; a start must not hang on it."""

LOOKED_BACK: Final = 50
"""Canaries of a service among which its last promotion and rollback are looked for."""

SHORTEST_COMMIT: Final = 7
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

Classify = Callable[[Seen, History, Policy], Awaitable[Assessment]]
"""Puts a change into a tier."""

_NONE: Final = "no change source is configured for it (changes, in its configuration), and none was sent along"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Assessor:
    """Compares what is stable with what is new, and classifies what lies between."""

    store: CanaryStore
    runner: EffectRunner
    sources: Mapping[str, ChangeSource]
    policy: Policy
    clock: Clock
    classify: Classify

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        """What a start of this revision would bring.

        Args:
            service, revision: what is to be started; the service is configured.
            sent: what a pipeline says about it. It counts where no source is configured; beside
                one, only its labels do.

        Raises:
            PortError: the store cannot be reached.

        """
        recent = await self.store.recent(service, LOOKED_BACK)
        seen = await self._seen(service, revision, sent, recent)
        return await self.classify(seen, _history(recent, self.clock), self.policy)

    async def _seen(
        self,
        service: str,
        revision: str,
        sent: Change | None,
        recent: tuple[Canary, ...],
    ) -> Seen:
        base = await self._stable_after(service, recent)
        source = self.sources.get(service)
        if base is None:
            seen: Seen = Unseen("nobody can tell which revision is stable, so there is no base")
        elif base == revision:
            seen = Unseen(
                f"stable says that it runs {revision} too, so nobody can tell them apart"
            )
        elif source is None:
            return _as_sent(sent, base, revision) if sent is not None else Unseen(_NONE)
        else:
            seen = await _compared(source, base, revision, self.policy)
        if isinstance(seen, Unseen):
            log.warning("change.unseen", service=service, revision=revision, reason=seen.reason)
            return seen
        if sent is not None:  # a source sees for itself; of labels a pipeline may know more
            seen = replace(seen, labels=tuple(dict.fromkeys((*seen.labels, *sent.labels))))
        return seen

    async def stable(self, service: str) -> str | None:
        """The revision that a canary would be compared with; None where nobody can tell.

        Raises:
            PortError: the store cannot be reached.

        """
        return await self._stable_after(service, await self.store.recent(service, LOOKED_BACK))

    async def _stable_after(self, service: str, recent: tuple[Canary, ...]) -> str | None:
        """The revision that all traffic is on: what its backend says, or what was promoted last."""
        split = await self.runner.split(service)
        if isinstance(split, NoData):
            return None
        stable = next((backend for backend, weight in split.items() if weight == FULL), None)
        if stable is None:
            return None
        told = await self.runner.revision(service, stable)
        if told is not None:
            return told
        moved = (one for one in recent if one.is_ended and one.arms is not None)
        last = next(moved, None)
        if last is None or last.arms is None:
            return None
        by_arm = {last.arms.canary: last.revision, last.arms.stable: last.stable_revision}
        return by_arm.get(stable)


def _as_sent(sent: Change, base: str, revision: str) -> Seen:
    """What a pipeline says of the change, where that is the change from stable to this revision.

    One that tells only of its last commit would hide all that was not deployed before it.
    """
    for does, said, due in (("begins", sent.base, base), ("ends", sent.head, revision)):
        if not _same(said, due):
            return Unseen(
                f"the change that was sent along {does} at {said or 'no revision'}, and not at "
                f"{due}, which is {'stable' if does == 'begins' else 'to be started'}"
            )
    return sent


def _same(one: str, other: str) -> bool:
    """Whether two names are one revision's; a commit may be shortened."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    commit = _COMMIT.fullmatch(long) is not None
    return commit and len(short) >= SHORTEST_COMMIT and long.startswith(short)


async def _compared(source: ChangeSource, base: str, head: str, policy: Policy) -> Seen:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await source.compare(base, head, lambda path: wanted(path, policy.migrations))
    except TimeoutError:
        seconds = PATIENCE.total_seconds()
        return Unseen(f"the change source gave no answer within {seconds:.0f} s")
    except PortError as error:
        return Unseen(str(error))
    except Exception as error:  # a faulty adapter must not stop a start, and is no small change
        log.exception("change.adapter_failed")
        return Unseen(f"the change source failed: {error!r}")


def _history(recent: tuple[Canary, ...], clock: Clock) -> History:
    """When the service's traffic last moved for good, and when it last had to go back."""
    promoted = (one.phase.at for one in recent if isinstance(one.phase, Promoted))
    rolled_back = (
        one.phase.at
        for one in recent
        if isinstance(one.phase, RolledBack) and not (one.mark is not None and one.mark.false)
    )
    return History(clock.now(), max(promoted, default=None), max(rolled_back, default=None))
