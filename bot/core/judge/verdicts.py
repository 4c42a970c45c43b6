"""From the judge's memory to a verdict: one finding an indicator, the worst decides."""

from dataclasses import replace

from bot.core.judge.looks import with_past, with_traffic
from bot.core.judge.placebo import placebo
from bot.core.judge.presence import with_readiness
from bot.core.judge.ratios import errors_finding, hidden, latency_finding
from bot.core.judge.signatures import candidates, chance, with_logs, with_past_logs
from bot.core.judge.state import JudgeState, Signature
from bot.core.slo import LogCounts, NoData, Sample, Sli, Traffic
from bot.core.verdict import Finding, Health, Verdict


def learn(
    state: JudgeState,
    stable: Traffic | NoData,
    logs: LogCounts | NoData,
    instances: dict[str, Traffic] | None = None,
) -> JudgeState:
    """Take one tick of stable's past, before the canary has traffic.

    An hour of it is worth having: it tells how stable's failures clump, where its slow tail begins
    and what it logs on an ordinary day. Once the window has begun it changes nothing.

    Args:
        state: of a judge that has had no look yet.
        stable: what stable did in this tick; `instances` the same by pod, where they are told
            apart.
        logs: what stable logged.
        instances: see `stable`.

    """
    if state.looks:
        return state
    if not isinstance(stable, NoData):
        state = with_past(state, stable)
    if instances:
        known = placebo(state.placebo, instances, state.objectives.tuning)
        state = replace(state, placebo=known)
    return state if isinstance(logs, NoData) else with_past_logs(state, logs)


def look(state: JudgeState, sample: Sample) -> JudgeState:
    """Take one sample; the state that comes back is all the judge remembers."""
    state = replace(
        state,
        looks=state.looks + 1,
        begun_at=state.begun_at or sample.start,
        last_at=sample.end,
    )
    return with_readiness(with_logs(with_traffic(state, sample), sample), sample)


def verdict(state: JudgeState) -> Verdict:
    """What the samples so far say; may be asked at any moment.

    Healthy says that the canary is surely not much worse than stable: that it may be promoted. Thin
    says that nothing speaks against it, and not enough for it.
    """
    watched = state.objectives.watched
    findings = tuple(_finding(state, sli) for sli in Sli if sli in watched)
    needed = max(
        [
            state.objectives.min_requests,
            *(state.totals.canary.requests + f.more for f in findings if f.more),
        ]
    )
    return Verdict(findings, state.totals.canary.requests, needed)


def _finding(state: JudgeState, sli: Sli) -> Finding:
    match sli:
        case Sli.ERRORS:
            return errors_finding(state)
        case Sli.P95 | Sli.P99:
            return latency_finding(state, sli)
        case Sli.READINESS:
            return _readiness(state)
        case Sli.LOGS:
            return _logs(state)


def _readiness(state: JudgeState) -> Finding:
    patience = state.objectives.ready_patience
    finding = Finding(
        Sli.READINESS,
        Health.HEALTHY,
        float(state.ready.canary),
        float(state.ready.stable),
        limit=f"down at most {patience.total_seconds():g} s",
    )
    crashes, most = state.crashes, state.objectives.tuning.restarts
    if crashes.canary >= most and crashes.canary > crashes.stable:
        reason = f"the canary restarted {crashes.canary} times, stable {crashes.stable} times"
        return replace(
            finding, health=Health.BREACHED, chance=0.0, reason=reason, rule="crash loop"
        )
    broken = []
    for name, outage in sorted(state.outages.items()):
        if outage.since is None or state.last_at is None or outage.looks < 2:
            continue
        lasted = state.last_at - outage.since
        if lasted >= patience:
            why = f": {outage.reason}" if outage.reason else ""
            broken.append(f"{name} down for {lasted.total_seconds():.0f} s{why}")
    if broken:
        return replace(
            finding,
            health=Health.BREACHED,
            chance=0.0,
            reason=f"{'; '.join(broken)} (up on stable)",
            examples=tuple(broken),
            rule="outage",
        )
    unseen = hidden(state, state.readiness)
    return replace(finding, health=Health.BLIND, reason=unseen) if unseen else finding


def _logs(state: JudgeState) -> Finding:
    """A signature is a breach when a bet on it beats a union over all that might look like it."""
    objectives = state.objectives
    tuning = objectives.tuning
    allowed = objectives.alpha * tuning.log_level
    seen = candidates(state)
    chances = {name: chance(track, seen, tuning) for name, track in state.signatures.items()}
    ranked = sorted(state.signatures.items(), key=lambda item: (chances[item[0]][0], item[0]))
    finding = Finding(
        Sli.LOGS,
        Health.HEALTHY,
        float(sum(track.canary for _, track in ranked)),
        float(sum(track.stable for _, track in ranked)),
        limit="no signature that only the canary logs",
        chance=min([1.0, *(found for found, _ in chances.values())]),
    )
    broken = [name for name, _ in ranked if chances[name][0] <= allowed]
    if broken:
        track = state.signatures[broken[0]]
        reason = f"{track.canary} x “{broken[0]}” on the canary, {track.stable} on stable"
        examples = tuple(state.signatures[name].example for name in broken[:3])
        return replace(
            finding,
            health=Health.BREACHED,
            reason=reason,
            examples=examples,
            rule=chances[broken[0]][1],
        )
    unseen = hidden(state, state.logs)
    if unseen:
        return replace(finding, health=Health.BLIND, reason=unseen)
    return _suspicion(finding, [(name, track) for name, track in ranked if _alone(track)])


def _alone(track: Signature) -> bool:
    return bool(track.canary) and not track.stable and not track.known


def _suspicion(finding: Finding, mine: list[tuple[str, Signature]]) -> Finding:
    """A signature seen twice on the canary alone is not yet a breach, but no promotion either.

    Unless it ended with the warm-up: a new process says things that an old one said long ago.
    """
    if not mine:
        return finding
    name, track = max(mine, key=lambda one: (one[1].looks, one[0]))
    reason = f"{track.canary} x “{name}”, not yet evidence"
    health = Health.THIN if track.looks >= 2 and track.late else Health.HEALTHY
    return replace(finding, health=health, reason=reason)
