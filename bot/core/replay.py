"""Judges a canary again from what was read then: with the same settings, or with others."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core import judge
from bot.core.events import Observed, Prepared
from bot.core.looking import taken
from bot.core.reading import Tally
from bot.core.slo import Objectives
from bot.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Replay:
    """What the judge would have said.

    Attributes:
        looks: how many there were up to the verdict.
        verdict: at the first breach, or after the last look.
        breached_at: when it would have rolled back; None if it would not.

    """

    looks: int
    verdict: Verdict
    breached_at: datetime | None


def replay(objectives: Objectives, seen: Iterable[Prepared | Observed]) -> Replay:
    """Take the looks in order up to the first breach.

    Bit for bit what the bot did at the time when the settings are the same: the judge reads
    neither clock nor chance. A look that the bot ignored (another came first) is ignored here too.
    What stable's past taught the judge is taken as it was learnt then.
    """
    tally: Tally | None = None
    last_at: datetime | None = None
    memory, looks = judge.begin(objectives), 0
    for one in seen:
        if isinstance(one, Prepared):
            if one.memory is not None and not looks:
                memory = replace(one.memory, objectives=objectives)
            continue
        if last_at is not None and one.since != last_at:
            continue
        new = taken(tally, memory, one)
        tally, memory = new.tally, new.memory
        looks, last_at = looks + 1, one.at
        found = judge.verdict(memory)
        if found.breaches:
            return Replay(looks, found, one.at)
    return Replay(looks, judge.verdict(memory), None)
