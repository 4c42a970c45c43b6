"""Whether the canary is there at all: components that are down, and processes that restart."""

from dataclasses import replace

from bot.core.judge.state import JudgeState, Outage
from bot.core.slo import Arms, NoData, Readiness, Sample


def with_readiness(state: JudgeState, sample: Sample) -> JudgeState:
    """Follow each component that is down on the canary while it is up on stable."""
    if isinstance(sample.readiness, NoData):
        return replace(state, readiness=state.readiness.after(sample.readiness.reason))
    canary, stable = sample.readiness.canary, sample.readiness.stable
    down_too = {component.name for component in stable.failing}
    outages: dict[str, Outage] = {}
    for component in canary.failing:
        if component.name in down_too or _silent(stable):
            continue
        known = state.outages.get(component.name, Outage())
        since = known.since or sample.end
        outages[component.name] = Outage(since, known.looks + 1, component.reason)
    before, crashes = state.restarts, state.crashes
    return replace(
        state,
        restarts=Arms(
            before.canary if canary.restarts is None else canary.restarts,
            before.stable if stable.restarts is None else stable.restarts,
        ),
        crashes=Arms(
            crashes.canary + _new(before.canary, canary.restarts),
            crashes.stable + _new(before.stable, stable.restarts),
        ),
        readiness=state.readiness.after(None),
        outages=outages,
        ready=Arms(len(canary.failing), len(stable.failing)),
        components=len(canary.components),
        last_at=sample.end,
    )


def _new(before: int | None, now: int | None) -> int:
    """Restarts since; where the count fell, a pod was replaced and its own count is new."""
    if before is None or now is None:
        return 0
    return now - before if now >= before else now


def _silent(stable: Readiness) -> bool:
    """Whether stable does not answer at all, which may well be our own network."""
    return bool(stable.components) and len(stable.failing) == len(stable.components)
