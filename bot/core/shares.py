"""Whether the requests are split as the router says: what was asked is compared with what came."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

from bot.core.plan import ZERO, Weight
from bot.core.slo import Arms, NoData, Traffic

ENOUGH: Final = 1000
"""Requests at one weight before anything is said about them."""

TOGETHER: Final = 30.0
"""Requests of one client or session stay on one arm, so that they count as so many fewer."""

SURELY: Final = 4.0
"""Standard errors."""

APART: Final = 2.0
"""How far off, as a ratio, is worth telling: counters seldom count exactly what a router splits."""


@dataclass(frozen=True, slots=True)
class Share:
    """The requests since the router was last asked to hold this weight.

    Attributes:
        looks: how many looks they come from; the first may reach back to the weight before.
        told: whether people know that they are not split as asked.

    """

    weight: Weight
    looks: int = 0
    canary: int = 0
    stable: int = 0
    told: bool = False

    @property
    def found(self) -> float:
        """The canary's share, as a fraction."""
        return self.canary / max(self.canary + self.stable, 1)

    @property
    def is_apart(self) -> bool:
        """Whether it is surely more than twice, or less than half of what was asked."""
        requests = self.canary + self.stable
        if requests < ENOUGH or self.weight == ZERO:
            return False
        asked, found = self.weight.share, self.found
        # At least the asked share's own spread: none of a thousand is no proof of nothing.
        spread = max(found * (1 - found), asked * (1 - asked))
        off = SURELY * sqrt(spread * TOGETHER / requests)
        return found - off > APART * asked or found + off < asked / APART

    def __str__(self) -> str:
        """In one sentence, without its end."""
        requests = self.canary + self.stable
        return (
            f"{self.found:.1%} of the requests came to the canary ({self.canary} of {requests}), "
            f"asked was {self.weight}"
        ).replace("%", " %", 1)


def counted(share: Share | None, asked: Weight, traffic: Arms[Traffic] | NoData) -> Share:
    """The share with one more look at this weight; another weight begins anew."""
    if share is None or share.weight != asked:
        share = Share(asked)
    if isinstance(traffic, NoData):
        return share
    if share.looks == 0:
        return replace(share, looks=1)
    return replace(
        share,
        looks=share.looks + 1,
        canary=share.canary + traffic.canary.requests,
        stable=share.stable + traffic.stable.requests,
    )
