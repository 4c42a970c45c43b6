"""The sequential judge: `begin()`, `learn()` stable's past, `look()` at every tick, `verdict()`.

It may be asked at any moment, because each indicator is an e-process: a bet against "the canary is
no worse than stable" whose winnings exceed 1/alpha with probability alpha at most, however often
one looks (Ville 1939; Ramdas et al. 2023, arXiv:2210.01948). Only the canary's share of what both
arms did in the same moment is tested, so what hits both arms blames nobody. Failures that come in
clumps count as clumps: the bet is that of a compound Poisson law whose clump size stable shows.

Its memory is data, held inside the canary: the same samples give the same verdict, in one go or
resumed after every tick.

Outside the bot, `CounterJudge` takes plain cumulative counters, one `ArmCounters` an arm and tick:

    judge = CounterJudge()                                  # or CounterJudge(Objectives(alpha=0.001))
    judge.tick(-3600.0, canary=None, stable=ArmCounters(requests=0, errors=0))
    ...                                                     # stable alone before the window: the past
    judge.tick(0.0, canary=ArmCounters(0, 0), stable=ArmCounters(requests=342_000, errors=1_710))
    answer = judge.tick(10.0, canary=ArmCounters(50, 1), stable=ArmCounters(342_950, 1_715))
    answer.decision                                         # "continue" or "rollback", at any tick
    judge.finish().decision                                 # "promote", "rollback" or "inconclusive"

Counters only ever rise, but for resets; an arm that was not scraped is None; buckets are cumulative
as Prometheus has them; log lines are counted by signature. Times are seconds, the window's start is
0 by custom, and any will do that rises.
"""

from bot.core.judge.counters import Answer, ArmCounters, CounterJudge
from bot.core.judge.state import JudgeState, begin
from bot.core.judge.verdicts import learn, look, verdict

__all__ = [
    "Answer",
    "ArmCounters",
    "CounterJudge",
    "JudgeState",
    "begin",
    "learn",
    "look",
    "verdict",
]
