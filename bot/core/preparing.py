"""Before any traffic moves: which backend is which arm, and is the new revision ready."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.core.canary import Canary, Preparing
from bot.core.effects import Prepare
from bot.core.events import Prepared
from bot.core.moves import Transition, reject, shift, without
from bot.core.plan import FULL, Split
from bot.core.slo import Arms, NoData, Readiness

RETRY: Final = timedelta(seconds=2)
"""Time between two attempts to find the new revision ready."""

Backends = dict[str, Readiness | NoData]


def prepared(canary: Canary, phase: Preparing, seen: Prepared) -> Transition:
    """Begin the first step, wait for the revision to become ready, or say why it cannot begin."""
    canary = without(canary, Prepare)
    if isinstance(seen.split, NoData):
        return _wait(canary, phase, seen, f"the router cannot be read: {seen.split.reason}")
    arms = choose_arms(seen.split, seen.readiness, canary.revision)
    if isinstance(arms, str):
        return reject(canary, arms, seen.at)
    unready = _not_ready(arms.canary, seen.readiness)
    if unready:
        return _wait(canary, phase, seen, unready)
    stable = seen.readiness.get(arms.stable)
    revision = stable.revision if isinstance(stable, Readiness) else None
    canary = replace(
        canary, arms=arms, stable_revision=revision, judge=seen.memory or canary.judge
    )
    return shift(canary.noted(seen.at, seen.past) if seen.past else canary, 0, seen.at)


def ready_arms(split: Split, readiness: Backends, revision: str) -> Arms[str] | None:
    """Both arms, if the canary could take traffic now."""
    arms = choose_arms(split, readiness, revision)
    return None if isinstance(arms, str) or _not_ready(arms.canary, readiness) else arms


def choose_arms(split: Split, readiness: Backends, revision: str) -> Arms[str] | str:
    """The backend with all the traffic is stable, the idle one with the new revision is the canary.

    Answers a sentence where the two cannot be told.
    """
    stable = next((backend for backend, weight in split.items() if weight == FULL), None)
    if stable is None:
        shares = ", ".join(f"{backend} {weight}" for backend, weight in sorted(split.items()))
        return (
            f"the router is split already ({shares}): another rollout is under way, or an old one "
            "was left half done. Give one backend all the traffic, then start again"
        )
    idle = sorted(backend for backend in split if backend != stable)
    carrying = [backend for backend in idle if _revision(readiness, backend) == revision]
    if carrying:
        return Arms(canary=carrying[0], stable=stable)
    if _revision(readiness, stable) == revision:
        return (
            f"nothing to do, {revision} is the stable revision already: {stable} carries it with "
            "all the traffic"
        )
    silent = [backend for backend in idle if _revision(readiness, backend) is None]
    if len(silent) == 1:
        return Arms(canary=silent[0], stable=stable)
    if silent:
        return (
            f"{', '.join(silent)} do not tell their revision, so which of them carries {revision} "
            "cannot be known. Let their health answers say it"
        )
    known = ", ".join(f"{backend} carries {_revision(readiness, backend)}" for backend in idle)
    return (
        f"no idle backend carries {revision}: {known or 'there is none'}. Deploy {revision} first"
    )


def _not_ready(backend: str, readiness: Backends) -> str:
    """Why the canary's backend cannot take traffic yet, or nothing."""
    answer = readiness.get(backend)
    match answer:
        case None:
            return ""  # no probe is configured: the judge watches what it can
        case NoData(reason=reason):
            return f"{backend} cannot be asked: {reason}"
        case Readiness() as ready:
            return "; ".join(f"{c.name}: {c.reason or 'not ready'}" for c in ready.failing)


def _wait(canary: Canary, phase: Preparing, seen: Prepared, why: str) -> Transition:
    waited = seen.at - phase.since
    if waited >= canary.plan.prepare_timeout:
        seconds = waited.total_seconds()
        return reject(canary, f"not ready after {seconds:.0f} s: {why}", seen.at)
    waiting = replace(phase, retry_at=seen.at + RETRY, waiting_for=why)
    return Transition(replace(canary, phase=waiting))


def _revision(readiness: Backends, backend: str) -> str | None:
    answer = readiness.get(backend)
    return answer.revision if isinstance(answer, Readiness) else None
