"""What stable's past teaches the judge before any traffic moves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core import judge
from bot.core.reading import Instances, increases, together
from bot.core.slo import LogCounts, NoData

TICKS: Final = 360
"""Ticks of stable's past that are looked at."""

LONGEST: Final = timedelta(hours=6)


def span(tick: timedelta) -> timedelta:
    """How far back it is worth looking: an hour at ticks of ten seconds."""
    return min(LONGEST, TICKS * tick)


def learnt(
    memory: judge.JudgeState,
    stable: Sequence[tuple[datetime, Instances]],
    logs: LogCounts | NoData,
) -> tuple[judge.JudgeState, int]:
    """Show the judge stable's counters, oldest first, and all that stable logged meanwhile.

    Returns:
        its memory, and how many ticks with requests there were in that past.

    """
    ticks = 0
    known: Instances = {}
    for _, instances in stable:
        apart = increases(known, instances)
        traffic = together(apart)
        if traffic.requests:
            memory = judge.learn(memory, traffic, NoData("told at the end"), apart)
            ticks += 1
        known = known | instances
    if not isinstance(logs, NoData):
        memory = judge.learn(memory, NoData("told before"), logs)
    return memory, ticks
