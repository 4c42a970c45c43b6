"""What a command can ask for, and what is said where it was not understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, get_args

Verb = Literal[
    "start",
    "status",
    "list",
    "history",
    "show",
    "why",
    "approve",
    "promote",
    "abort",
    "pause",
    "resume",
    "extend",
    "undo",
    "freeze",
    "unfreeze",
    "stop-the-line",
    "resume-the-line",
    "lock",
    "unlock",
    "help",
]

VERBS: Final[tuple[Verb, ...]] = get_args(Verb)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked.

    Attributes:
        target: a service's name, a canary's id, or `ALL` of a freeze; None where it was left out, or
            the verb says all.
        percent, window, tier: as written, a window with its unit; whoever makes the plan checks
            the rest.
        reason: in the person's own words.
        span: how much longer, or how long; None where nothing was said.
        until: when a freeze ends; None where nothing was said, which for a lock or a stopped line
            means never.
        override: why it is to be started although its service is frozen; None where nobody asks.

    """

    verb: Verb
    target: str | None = None
    revision: str = ""
    percent: str | None = None
    window: str | None = None
    tier: str | None = None
    reason: str = ""
    span: timedelta | None = None
    until: datetime | None = None
    override: str | None = None


class Line(NamedTuple):
    """What can be typed instead, without the command's name, and what it is good for."""

    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Misread:
    """It was not understood: what is wrong, what could have been meant, and lines to paste."""

    reason: str
    hint: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """The names a command may use.

    Attributes:
        channels: ids of channels by the service that is announced there.

    """

    services: Sequence[str] = field(default_factory=tuple)
    tiers: Sequence[str] = field(default_factory=tuple)
    channels: Mapping[str, str] = field(default_factory=dict)

    def service(self, word: str) -> str | None:
        """The service of this name, or the only one of this channel; None where there is none."""
        wanted = word.lstrip("#").casefold()
        named = next((name for name in self.services if name.casefold() == wanted), None)
        if named is not None or not word.startswith("#"):
            return named
        there = [name for name, channel in self.channels.items() if channel.casefold() == wanted]
        return there[0] if len(there) == 1 else None
