"""Judges a canary again from what was read then: with the same settings, or with others."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core import judge
from bot.core.events import Observed, Prepared
from bot.core.looking import taken
from bot.core.reading import Tally
from bot.core.slo import Arms, NoData, Objectives, Traffic
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


@dataclass(frozen=True, slots=True)
class Judging:
    """What the bot knew after some of what it has seen.

    Attributes:
        memory: the judge's.
        tally: the counters as they stood.
        looks: how many were judged so far.
        traffic: the requests of the last of them; None before the first.
        last_at: when it was.

    """

    memory: judge.JudgeState
    tally: Tally | None = None
    looks: int = 0
    traffic: Arms[Traffic] | NoData | None = None
    last_at: datetime | None = None

    def after(self, one: Prepared | Observed) -> "Judging":
        """With one more; a look that the bot ignored changes nothing, `looks` says so."""
        if isinstance(one, Prepared):
            if one.memory is None or self.looks:
                return self
            return replace(self, memory=replace(one.memory, objectives=self.memory.objectives))
        if self.last_at is not None and one.since != self.last_at:
            return self
        new = taken(self.tally, self.memory, one)
        return Judging(new.memory, new.tally, self.looks + 1, new.traffic, one.at)


def replay(objectives: Objectives, seen: Iterable[Prepared | Observed]) -> Replay:
    """Take the looks in order up to the first breach.

    Bit for bit what the bot did at the time when the settings are the same: the judge reads
    neither clock nor chance. A look that the bot ignored (another came first) is ignored here too.
    What stable's past taught the judge is taken as it was learnt then.
    """
    now = Judging(judge.begin(objectives))
    for one in seen:
        now, before = now.after(one), now
        if now.looks == before.looks:
            continue
        found = judge.verdict(now.memory)
        if found.breaches:
            return Replay(now.looks, found, now.last_at)
    return Replay(now.looks, judge.verdict(now.memory), None)
