"""`canary calibrate`: how often the current settings would roll back a healthy canary, for real."""

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.clock import SystemClock
from bot.bootstrap import configure, http_client
from bot.config.units import unknown, written
from bot.core import judge, learning
from bot.core.calibration import JUDGED, Trial, aa_by_instance, aa_by_request, by_instance, wilson
from bot.core.plan import FULL, Plan
from bot.core.reading import Instances
from bot.core.slo import NoData, Objectives, Sli
from bot.core.verdict import Health
from bot.ports import MetricHistory, PortError, ServicePorts

WINDOWS: Final = 200
"""Windows drawn from the history."""

EMPTY_ENOUGH: Final = 20
"""Windows without data in a row after which the history is taken to hold nothing."""

Window = list[tuple[datetime, Instances]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the trials came to.

    Attributes:
        windows: how many were judged; `empty` more held no data.
        false: how many would have been rolled back; by indicator in `over`.
        undecided: how many had too little traffic to be judged.
        split: how stable was split, in words.

    """

    service: str
    backend: str
    since: datetime
    until: datetime
    plan: Plan
    windows: int
    empty: int
    false: int
    over: dict[Sli, int]
    undecided: int
    split: str
    requests: int

    @property
    def interval(self) -> tuple[float, float]:
        """Of the false-rollback chance, 95 %."""
        return wilson(self.false, self.windows)


async def calibrate(
    path: Path, service: str, span: timedelta, windows: int = WINDOWS, seed: int = 1
) -> Calibration:
    """Judge stable against itself over windows of the last `span`.

    Raises:
        ConfigError: the configuration cannot be used.
        PortError: the router cannot be read.
        ValueError: unknown service, or its metrics keep no history or hold none.

    """
    clock = SystemClock()
    async with http_client() as http:
        configuration = configure(path, http, clock)
        if service not in configuration.services:
            raise ValueError(unknown("service", service, configuration.services))
        ports = configuration.services[service]
        plan = configuration.settings.plan_for(service)
        rng = random.Random(seed)  # noqa: S311 - trials, not secrets
        return await _calibrated(
            service, ports, plan, until=clock.now(), span=span, windows=windows, rng=rng
        )


async def _calibrated(
    service: str,
    ports: ServicePorts,
    plan: Plan,
    *,
    until: datetime,
    span: timedelta,
    windows: int,
    rng: random.Random,
) -> Calibration:
    source = ports.metrics
    if not isinstance(source, MetricHistory):
        raise ValueError(  # noqa: TRY004 - it is a setting that is wrong, not a type
            f"{service}'s metrics adapter keeps no history; only prometheus does. Calibrate where "
            "Prometheus scrapes the service"
        )
    backend = await _stable(service, ports)
    since = until - span
    length = sum((step.window for step in plan.steps), timedelta())
    if span < length:
        raise ValueError(f"--since must be at least a window long, {written(length)}")
    trials: list[Trial] = []
    empty, several, why = 0, False, ""
    for _ in range(windows):
        begin = since + (span - length) * rng.random()
        past = begin - learning.span(plan.tick)
        found = await source.history(backend, past, begin + length, plan.tick)
        seen = () if isinstance(found, NoData) else found
        window = [(one.at, one.instances) for one in seen if one.at >= begin]
        if len(window) < 3:
            empty += 1
            why = found.reason if isinstance(found, NoData) else "no samples"
            if empty >= EMPTY_ENOUGH and not trials:
                break
            continue
        several = several or _several(window)
        before = [(one.at, one.instances) for one in seen if one.at < begin]
        trials.append(_trial(before, window, plan, rng))
    if not trials:
        raise ValueError(f"there is no history of {backend} in the last {written(span)}: {why}")
    over = Counter(sli for trial in trials for sli in trial.breached)
    return Calibration(
        service,
        backend,
        since,
        until,
        plan,
        len(trials),
        empty,
        sum(bool(trial.breached) for trial in trials),
        dict(over),
        sum(trial.health in {Health.THIN, Health.BLIND} for trial in trials),
        "some instances against the others" if several else "every request dealt by chance",
        sorted(trial.canary_requests for trial in trials)[len(trials) // 2],
    )


def _trial(past: Window, window: Window, plan: Plan, rng: random.Random) -> Trial:
    objectives: Objectives = replace(
        plan.objectives,
        watched=tuple(sli for sli in plan.objectives.watched if sli in JUDGED),
    )
    share = plan.steps[0].weight.share
    memory, _ = learning.learnt(judge.begin(objectives), past, NoData("not part of the trial"))
    if _several(window):
        return aa_by_instance(by_instance(window, share, rng.random), memory)
    return aa_by_request(window, share, memory, rng.random)


def _several(window: Window) -> bool:
    return len({name for _, instances in window for name in instances}) > 1


async def _stable(service: str, ports: ServicePorts) -> str:
    split = await ports.router.split()
    backend = next((name for name, weight in split.items() if weight == FULL), None)
    if backend is None:
        raise PortError(
            f"{service}'s router is split: calibrate when one backend has all the traffic"
        )
    return backend
