"""From looks to points: what both arms did over a few looks together, indicator by indicator."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from bot.core.events import Observed
from bot.core.slo import Arms, LogCounts, NoData, Objectives, Sli, Traffic
from bot.core.verdict import Finding, Verdict

MOST_POINTS: Final = 120
FEWEST_POINTS: Final = 20
"""Looks are not merged into fewer points than this, however little traffic there is."""

WORTH_A_POINT: Final = 100
"""Canary requests that a point should hold on average, or the line shows chance alone."""

POINTS_OF_TROUBLE: Final = 4
"""From the onset to the decision there are at least so many, if there were so many looks."""

UNSCRAPED: Final = timedelta(minutes=2)
"""Looks without a single request on both arms are passed over for so long: a source that is
scraped once a minute says nothing new in between."""

Measure = Literal["rate", "seconds", "a minute", "down", "restarts"]


class Point(NamedTuple):
    """Both arms over a few looks together; None where nothing was seen."""

    since: datetime
    at: datetime
    canary: float | None
    stable: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One indicator over time.

    Attributes:
        measure: failed requests a request, seconds, log lines a minute, components that are down,
            or processes restarted so far.
        points: oldest first; they need not touch.
        finding: where the judge stood at the end.
        limit: absolute, in the points' unit; None where there is none.
        signatures: of logs, what decided; empty where all lines are counted.

    """

    sli: Sli
    measure: Measure
    points: tuple[Point, ...]
    finding: Finding
    limit: float | None = None
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """One look as it was judged, and how much then spoke against the canary, in any unit."""

    seen: Observed
    traffic: Arms[Traffic] | NoData
    crashes: Arms[int]
    against: float


def groups(looks: Sequence[Look], onset: datetime | None) -> list[Sequence[Look]]:
    """The looks of each point.

    The same number everywhere, so that there are at most `MOST_POINTS` and, where `FEWEST_POINTS`
    are left, `WORTH_A_POINT` canary requests in each on average. No point lies on both sides of
    the onset, and from there on they are fine enough to be `POINTS_OF_TROUBLE`.
    """
    if not looks:
        return []
    requests = sum(
        0 if isinstance(lo.traffic, NoData) else lo.traffic.canary.requests for lo in looks
    )
    wanted = math.ceil(WORTH_A_POINT * len(looks) / requests) if requests else 1
    size = max(
        math.ceil(len(looks) / (MOST_POINTS - 2 * POINTS_OF_TROUBLE)),
        min(wanted, max(1, len(looks) // FEWEST_POINTS)),
    )
    calm = 0 if onset is None else sum(look.seen.at <= onset for look in looks)
    after = max(1, min(size, (len(looks) - calm) // POINTS_OF_TROUBLE)) if onset else size
    return [*_cut(looks[:calm], size), *_cut(looks[calm:], after)]


def _cut(looks: Sequence[Look], size: int) -> list[Sequence[Look]]:
    """Pieces of this size, the first one smaller: the last one is what decides."""
    first = len(looks) % size
    pieces = [looks[at : at + size] for at in range(first, len(looks), size)]
    return [looks[:first], *pieces] if first else pieces


def all_series(
    groups: Sequence[Sequence[Look]],
    verdict: Verdict,
    objectives: Objectives,
    accused: tuple[str, ...],
) -> tuple[Series, ...]:
    """The indicators of which anything was seen, in the judge's order.

    Args:
        groups: the looks of each point.
        verdict: at the end.
        objectives: for their absolute limits.
        accused: the log signatures that are a breach.

    """
    found = (_series(groups, finding, objectives, accused) for finding in verdict.findings)
    return tuple(
        one
        for one in found
        if any(p.canary is not None or p.stable is not None for p in one.points)
    )


def _series(
    groups: Sequence[Sequence[Look]],
    finding: Finding,
    objectives: Objectives,
    accused: tuple[str, ...],
) -> Series:
    sli = finding.sli
    match sli:
        case Sli.ERRORS:
            points = _requests(groups, lambda traffic: traffic.error_rate)
            return Series(sli, "rate", points, finding, objectives.error_limit)
        case Sli.P95 | Sli.P99:
            q, most = (
                (0.95, objectives.p95_limit) if sli is Sli.P95 else (0.99, objectives.p99_limit)
            )
            points = _requests(groups, lambda traffic: traffic.latency.quantile(q))
            limit = None if most is None else most.total_seconds()
            return Series(sli, "seconds", points, finding, limit)
        case Sli.LOGS:
            return Series(
                sli,
                "a minute",
                tuple(_lines(group, accused) for group in groups),
                finding,
                signatures=accused,
            )
        case Sli.READINESS if finding.rule == "crash loop":
            crashed = tuple(
                Point(*_span(g), float(g[-1].crashes.canary), float(g[-1].crashes.stable))
                for g in groups
            )
            return Series(sli, "restarts", crashed, finding)
        case Sli.READINESS:
            return Series(sli, "down", tuple(map(_down, groups)), finding)


def _span(group: Sequence[Look]) -> tuple[datetime, datetime]:
    return group[0].seen.since, group[-1].seen.at


def _requests(
    groups: Sequence[Sequence[Look]], value: Callable[[Traffic], float | None]
) -> tuple[Point, ...]:
    points: list[Point] = []
    quiet_since: datetime | None = None
    for group in groups:
        since, at = _span(group)
        read = [look.traffic for look in group if not isinstance(look.traffic, NoData)]
        arms = Arms(Traffic(), Traffic())
        for one in read:
            arms = Arms(arms.canary.plus(one.canary), arms.stable.plus(one.stable))
        if read and not arms.canary.requests and not arms.stable.requests:
            quiet_since = quiet_since or since
            if at - quiet_since <= UNSCRAPED:
                continue
        else:
            quiet_since = None
        points.append(Point(since, at, value(arms.canary), value(arms.stable)))
    return tuple(points)


def _lines(group: Sequence[Look], accused: tuple[str, ...]) -> Point:
    read = [look for look in group if not isinstance(look.seen.logs, NoData)]
    minutes = sum((look.seen.at - look.seen.since) / timedelta(minutes=1) for look in read)
    if not minutes:
        return Point(*_span(group), None, None)
    canary = stable = 0
    for look in read:
        assert not isinstance(look.seen.logs, NoData)
        canary += _count(look.seen.logs.canary, accused)
        stable += _count(look.seen.logs.stable, accused)
    return Point(*_span(group), canary / minutes, stable / minutes)


def _count(logs: LogCounts, accused: tuple[str, ...]) -> int:
    return sum(found.count for name, found in logs.items() if not accused or name in accused)


def _down(group: Sequence[Look]) -> Point:
    """The worst of these looks: an outage is not to be averaged away."""
    read = [one.seen.readiness for one in group if not isinstance(one.seen.readiness, NoData)]
    if not read:
        return Point(*_span(group), None, None)
    canary = max(len(arms.canary.failing) for arms in read)
    stable = max(len(arms.stable.failing) for arms in read)
    return Point(*_span(group), float(canary), float(stable))
