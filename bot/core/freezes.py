"""Freezes: for a while nothing new is started, of one service or of all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.plan import Actor

ALL: Final = "all"
"""The scope of a freeze of everything; no service may have this name."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing of this scope is started until it ends.

    Attributes:
        scope: a service's name, or `ALL`.
        until: when it ends by itself.

    """

    scope: str
    by: Actor
    reason: str
    since: datetime
    until: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return now >= self.until

    @property
    def what(self) -> str:
        """Its scope in words."""
        return "everything" if self.scope == ALL else self.scope


def in_force(freezes: Iterable[Freeze], now: datetime) -> tuple[Freeze, ...]:
    """Those that have not ended, that of everything first, then by name."""
    held = (freeze for freeze in freezes if not freeze.is_over(now))
    return tuple(sorted(held, key=lambda freeze: (freeze.scope != ALL, freeze.scope)))


def frozen(freezes: Iterable[Freeze], service: str, now: datetime) -> Freeze | None:
    """What keeps this service from being started: of several, the one that lasts longest."""
    held = [freeze for freeze in in_force(freezes, now) if freeze.scope in {ALL, service}]
    return max(held, key=lambda freeze: freeze.until, default=None)
