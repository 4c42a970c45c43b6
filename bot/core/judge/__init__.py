"""The sequential judge: `begin()`, then `look(state, sample)` at every tick, `verdict(state)`.

It may be asked at any moment, because each indicator is an e-process: a bet against "the canary is
no worse than stable" whose winnings exceed 1/alpha with probability alpha at most, however often
one looks (Ville 1939; Ramdas et al. 2023, arXiv:2210.01948). Only the canary's share of what both
arms did in the same window is tested, so what hits both arms blames nobody.

Its memory is data, held inside the canary: the same samples give the same verdict, in one go or
resumed after every tick.
"""

from bot.core.judge.state import JudgeState, begin
from bot.core.judge.verdicts import look, verdict

__all__ = ["JudgeState", "begin", "look", "verdict"]
