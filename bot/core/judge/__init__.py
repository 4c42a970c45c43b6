"""The sequential judge: `begin()`, `learn()` stable's past, `look()` at every tick, `verdict()`.

It may be asked at any moment, because each indicator is an e-process: a bet against "the canary is
no worse than stable" whose winnings exceed 1/alpha with probability alpha at most, however often
one looks (Ville 1939; Ramdas et al. 2023, arXiv:2210.01948). Only the canary's share of what both
arms did in the same moment is tested, so what hits both arms blames nobody. Failures that come in
clumps count as clumps: the bet is that of a compound Poisson law whose clump size stable shows.

Its memory is data, held inside the canary: the same samples give the same verdict, in one go or
resumed after every tick. Outside the bot, `CounterJudge` takes plain cumulative counters.
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
