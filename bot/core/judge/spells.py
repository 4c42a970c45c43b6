"""The canary's worst few minutes: without them, the rest must still speak against it.

One client, one session or one stall may spoil minutes on one arm alone, and may be larger than
any that stable's past has shown. What is wrong with a release lasts: it is there before and after.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from bot.core.judge.clumps import at_least

MINUTE = timedelta(minutes=1)


class Span(NamedTuple):
    """The canary's events over some time, those it may have had at the margin, and both arms'."""

    events: int = 0
    expected: float = 0.0
    both: int = 0

    @property
    def excess(self) -> float:
        """Events more than it may have had."""
        return self.events - self.expected

    def plus(self, other: "Span") -> "Span":
        """Both spans together."""
        return Span(
            self.events + other.events, self.expected + other.expected, self.both + other.both
        )


@dataclass(frozen=True, slots=True)
class Spell:
    """The last minutes and the worst so far.

    Attributes:
        begun, number: of the first minute and of the one being filled, from the first sample on.
        minutes: the last few, the one being filled first.
        worst: one, two, three … minutes in a row, each with the largest excess of all so long;
            empty while none had any.

    """

    begun: int = 0
    number: int = 0
    minutes: tuple[Span, ...] = ()
    worst: tuple[Span, ...] = ()


def follow(spell: Spell, tick: Span, elapsed: timedelta, longest: timedelta) -> Spell:
    """Take one tick; `longest` is how many minutes in a row are looked at together."""
    number, many = int(elapsed / MINUTE), max(1, int(longest / MINUTE))
    if not spell.minutes:
        spell = Spell(number, number, (Span(),), (Span(),) * many)
    passed = number - spell.number
    empty = (Span(),) * min(passed, many)
    first, *rest = (*empty, *spell.minutes)[:many]
    minutes = (first.plus(tick), *rest)
    now, worst = Span(), list(spell.worst)
    for index, minute in enumerate(minutes):
        now = now.plus(minute)
        if now.excess > worst[index].excess:
            worst[index] = now
    return Spell(spell.begun, number, minutes, tuple(worst))


def without_worst(spell: Spell, whole: Span, size: float, part: float) -> float:
    """Chance that a canary at the margin has as many events outside its worst spell.

    It has been chosen for its excess, so what is left is biased towards the healthy: the chance is
    an upper bound.

    Args:
        spell: what `follow` found.
        whole: all ticks so far.
        size: mean size of clumps.
        part: of the minutes so far, the most that are left out: what lasts is found early as well.

    Returns:
        1 while there are too few minutes to leave one out.

    """
    long = min(len(spell.worst), int(part * (spell.number - spell.begun + 1)))
    if not long:
        return 1.0
    worst = spell.worst[long - 1]
    events, both = whole.events - worst.events, whole.both - worst.both
    expected = whole.expected - worst.expected
    if both <= 0 or events <= expected:
        return 1.0
    return at_least(events, both, max(expected, 1e-9) / both, size)
