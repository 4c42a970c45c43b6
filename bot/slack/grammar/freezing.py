"""`freeze SERVICE|all [until WHEN | for 2h] [reason]`, and its end."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.freezes import ALL
from bot.slack.grammar.asked import Asked, Known, Line, Misread
from bot.slack.grammar.moments import LONGEST_FREEZE, end_of, no_span, span_of
from bot.slack.grammar.typed import did_you_mean, short, tidy, unknown, with_units

_EVERYTHING: Final = frozenset({ALL, "everything", "*"})
_UNTIL: Final = frozenset({"until", "till", "til"})
_MARKS: Final = frozenset({"because", "reason", "-", "--", "\u2013", "\u2014"})

_VAGUE: Final = frozenset({"forever", "indefinitely", "permanently", "always"})
_NUMBERS: Final = frozenset(
    [
        "a",
        "an",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "twelve",
        "half",
        "some",
        "several",
    ]
)
"""Numbers in words, which are not read."""

Found = tuple[datetime, int, int]
"""When it ends, and between which words that stands."""


def freeze(tokens: Sequence[str], known: Known, now: datetime) -> Asked | Misread:
    """What is frozen, until when and why."""
    if not tokens:
        lines = (
            Line("freeze SERVICE until 18:00 release", "one service; times are UTC"),
            Line("freeze all for 2h incident", "everything"),
            Line("list", "shows what is frozen"),
        )
        return Misread("`freeze` needs a service, or `all`.", "", lines)
    scope = _scope(tokens[0], known)
    if scope is None:
        return _unknown(tokens[0], known)
    words = with_units(tokens[1:])
    found = _another(scope, words, known) or _end(words, now) or _vague(scope, words)
    if isinstance(found, Misread):
        return found
    until = None
    if found is not None:
        until, first, after = found
        words = [*words[:first], *words[after:]]
        if until - now > LONGEST_FREEZE:
            days = LONGEST_FREEZE.days
            why = f"A freeze lasts {days} days at most; {until:%Y-%m-%d} is further away."
            return Misread(why, "freeze for a shorter time, and again before that is over")
    if words and words[0].lstrip("-").casefold() in _MARKS | {""}:
        words = words[1:]
    return Asked("freeze", scope, reason=" ".join(words), until=until)


def unfreeze(tokens: Sequence[str], known: Known) -> Asked | Misread:
    """What may be started again."""
    if not tokens:
        lines = (Line("unfreeze SERVICE"), Line("unfreeze all"))
        return Misread("`unfreeze` needs a service, or `all`.", "", lines)
    scope = _scope(tokens[0], known)
    if scope is None:
        return _unknown(tokens[0], known)
    return _another(scope, tokens[1:], known, "unfreeze") or Asked("unfreeze", scope)


def _another(
    scope: str, words: Sequence[str], known: Known, verb: str = "freeze"
) -> Misread | None:
    """A second service, which would be lost as a reason."""
    other = _scope(words[0], known) if words else None
    if other is None:
        return None
    rest = words[1:]
    lines = tuple(Line(" ".join([verb, each, *rest])) for each in (scope, other))
    return Misread(f"`{verb}` takes one service, or `all`.", "One line for each:", lines)


def _vague(scope: str, words: Sequence[str]) -> Misread | None:
    """Words that were meant as an end and are none: it would end in a day, in silence."""
    first, second = [*(word.casefold() for word in words[:2]), "", ""][:2]
    counted = first in {"for", "to"} and (second in _NUMBERS or second[:1].isdigit())
    if not counted and first not in _VAGUE and not did_you_mean(first, ("until", "till")):
        return None
    lines = (
        Line(f"freeze {scope} until friday 18:00", "times are UTC"),
        Line(f"freeze {scope} for 2h"),
        Line(f"freeze {scope} because {short(' '.join(words))}", "for 24 hours"),
    )
    return Misread("When does the freeze end?", "", lines)


def _scope(word: str, known: Known) -> str | None:
    bare = tidy(word)
    return ALL if bare.casefold() in _EVERYTHING else known.service(bare)


def _unknown(word: str, known: Known) -> Misread:
    return unknown("service", word, (*known.services, ALL))


def _end(words: Sequence[str], now: datetime) -> Found | Misread | None:
    """Where it is said when the freeze ends; None where nobody says it."""
    for place, word in enumerate(words):
        mark = word.lstrip("-").casefold()
        after = words[place + 1 :]
        if mark in _UNTIL:
            end = end_of(after, now)
            return end if isinstance(end, Misread) else (end[0], place, place + 1 + end[1])
        if mark == "for" and after and re.match(r"\d", after[0]):
            return _for(after[0], now, place, place + 2)
        if place == 0 and re.match(r"\d", word):
            return _for(word, now, 0, 1)
    return None


def _for(word: str, now: datetime, first: int, after: int) -> Found | Misread:
    span = span_of(tidy(word))
    if span is None or span <= timedelta(0):
        return Misread(no_span(tidy(word), "2h"), "for example: freeze all for 2h")
    return now + span, first, after
