"""What is frozen, locked or stopped, until when and why; and the end of it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.core.freezes import ALL
from bot.slack.grammar.asked import Asked, Known, Line, Misread
from bot.slack.grammar.moments import LONGEST_FREEZE, end_of, is_endless, no_span, span_of
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

_NEEDS: Final = {
    "freeze": "a service, or `all`",
    "unfreeze": "a service, or `all`",
    "lock": "a service",
    "unlock": "a service",
}

Found = tuple[datetime | None, int, int]
"""When it ends, None for never, and between which words that stands."""


def freeze(
    tokens: Sequence[str], known: Known, now: datetime, verb: Literal["freeze", "lock"] = "freeze"
) -> Asked | Misread:
    """What is frozen or locked, until when and why."""
    if not tokens:
        return _without_scope(verb)
    scope = _scope(tokens[0], known)
    if scope is None:
        return _unknown(tokens[0], known, verb)
    if scope == ALL and verb == "lock":
        return _lock_of_all(tokens[1:])
    words = with_units(tokens[1:])
    found = _another(scope, words, known, verb) or _end(words, now, verb)
    found = found or _vague(scope, words, verb)
    if isinstance(found, Misread):
        return found
    until, reason = _reason(words, found)
    if until is not None and until - now > LONGEST_FREEZE:
        days = LONGEST_FREEZE.days
        why = f"A {verb} lasts {days} days at most; {until:%Y-%m-%d} is further away."
        return Misread(why, f"{verb} it for a shorter time, and again before that is over")
    return Asked(verb, scope, reason=reason, until=until)


def unfreeze(
    tokens: Sequence[str], known: Known, verb: Literal["unfreeze", "unlock"] = "unfreeze"
) -> Asked | Misread:
    """What may be started again."""
    if not tokens:
        return _without_scope(verb)
    scope = _scope(tokens[0], known)
    if scope is None:
        return _unknown(tokens[0], known, verb)
    if scope == ALL and verb == "unlock":
        lines = (Line("resume-the-line", "everything"), Line("list", "shows what is locked"))
        return Misread("`unlock` takes one service.", "", lines)
    return _another(scope, tokens[1:], known, verb) or Asked(verb, scope)


def stop_the_line(tokens: Sequence[str], known: Known, now: datetime) -> Asked | Misread:
    """Everything, at once; an end that is not understood is a part of the reason.

    An emergency stop does not fail over its wording. A service alone is asked about: whoever names
    one may have meant it and no other.
    """
    if tokens and tidy(tokens[0]).casefold() in _EVERYTHING:
        tokens = tokens[1:]
    only = _scope(tokens[0], known) if len(tokens) == 1 else None
    if only is not None:
        lines = (Line(f"freeze {only}", "this one"), Line(f"stop-the-line because {only}", "all"))
        return Misread("`stop-the-line` freezes every service.", "", lines)
    words = with_units(tokens)
    found = _end(words, now, "stop-the-line")
    if isinstance(found, Misread) or (found and found[0] and found[0] - now > LONGEST_FREEZE):
        found = None
    until, reason = _reason(words, found)
    return Asked("stop-the-line", reason=reason, until=until)


def _reason(words: Sequence[str], found: Found | None) -> tuple[datetime | None, str]:
    """The end, and the rest of the words as the reason, without the mark that begins it."""
    until, first, after = found or (None, 0, 0)
    left = [*words[:first], *words[after:]]
    if left and left[0].lstrip("-").casefold() in _MARKS | {""}:
        left = left[1:]
    return until, " ".join(left)


def _without_scope(verb: str) -> Misread:
    lines = {
        "freeze": (
            Line("freeze SERVICE until 18:00 release", "one service; times are UTC"),
            Line("freeze all for 2h incident", "everything"),
            Line("list", "shows what is frozen"),
        ),
        "lock": (
            Line("lock SERVICE until 18:00 release", "only you may start it; times are UTC"),
            Line("lock SERVICE", "until somebody unlocks it"),
            Line("list", "shows what is locked"),
        ),
        "unfreeze": (Line("unfreeze SERVICE"), Line("unfreeze all")),
        "unlock": (Line("unlock SERVICE"), Line("list", "shows what is locked")),
    }
    return Misread(f"`{verb}` needs {_NEEDS[verb]}.", "", lines[verb])


def _lock_of_all(rest: Sequence[str]) -> Misread:
    text = " ".join(["freeze", ALL, *rest])
    lines = (Line(text),) if rest else (Line("stop-the-line"), Line("freeze all for 2h"))
    return Misread("`lock` takes one service; everything is frozen.", "", lines)


def _another(scope: str, words: Sequence[str], known: Known, verb: str) -> Misread | None:
    """A second service, which would be lost as a reason."""
    other = _scope(words[0], known) if words else None
    if other is None:
        return None
    rest = words[1:]
    lines = tuple(Line(" ".join([verb, each, *rest])) for each in (scope, other))
    takes = "one service" if verb in {"lock", "unlock"} else "one service, or `all`"
    return Misread(f"`{verb}` takes {takes}.", "One line for each:", lines)


def _vague(scope: str, words: Sequence[str], verb: str) -> Found | Misread | None:
    """Words that were meant as an end and are none: it would end in a day, in silence."""
    first, second = [*(word.casefold() for word in words[:2]), "", ""][:2]
    if verb == "lock" and first in _VAGUE:
        return None, 0, 1
    counted = first in {"for", "to"} and (second in _NUMBERS or second[:1].isdigit())
    if not counted and first not in _VAGUE and not did_you_mean(first, ("until", "till")):
        return None
    lines = (
        Line(f"{verb} {scope} until friday 18:00", "times are UTC"),
        Line(f"{verb} {scope} for 2h"),
        Line(
            f"{verb} {scope} because {short(' '.join(words))}",
            "until somebody unlocks it" if verb == "lock" else "for 24 hours",
        ),
    )
    return Misread(f"When does the {verb} end?", "", lines)


def _scope(word: str, known: Known) -> str | None:
    bare = tidy(word)
    return ALL if bare.casefold() in _EVERYTHING else known.service(bare)


def _unknown(word: str, known: Known, verb: str) -> Misread:
    names = known.services if verb in {"lock", "unlock"} else (*known.services, ALL)
    return unknown("service", word, names)


def _end(words: Sequence[str], now: datetime, verb: str) -> Found | Misread | None:
    """Where it is said when it ends; None where nobody says it."""
    for place, word in enumerate(words):
        mark = word.lstrip("-").casefold()
        after = words[place + 1 :]
        if mark in _UNTIL:
            if used := is_endless(after):
                return (None, place, place + 1 + used) if verb != "freeze" else _has_an_end()
            end = end_of(after, now)
            return end if isinstance(end, Misread) else (end[0], place, place + 1 + end[1])
        if mark == "for" and after and re.match(r"\d", after[0]):
            return _for(after[0], now, place, place + 2, verb)
        if place == 0 and re.match(r"\d", word):
            return _for(word, now, 0, 1, verb)
    return None


def _has_an_end() -> Misread:
    lines = (
        Line("freeze all until friday 18:00", "times are UTC"),
        Line("stop-the-line", "everything, until somebody resumes it"),
        Line("lock SERVICE", "for everybody but you, until somebody unlocks it"),
    )
    return Misread("A freeze ends by itself: until when?", "", lines)


def _for(word: str, now: datetime, first: int, after: int, verb: str) -> Found | Misread:
    span = span_of(tidy(word))
    if span is None or span <= timedelta(0):
        what = "lock shop" if verb == "lock" else "freeze all"
        return Misread(no_span(tidy(word), "2h"), f"for example: {what} for 2h")
    return now + span, first, after
