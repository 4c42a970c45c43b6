"""`start SERVICE REVISION`, its options, and the reason for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.slack.grammar.asked import Asked, Known, Line, Misread
from bot.slack.grammar.moments import no_span, written_span
from bot.slack.grammar.typed import short, tidy, unknown, with_units

OPTIONS: Final = ("percent", "window", "tier", "reason", "override")
_TALK: Final = frozenset({"reason", "override"})
"""Options of several words."""

LONGEST_REVISION: Final = 100
BECAUSE: Final = "because"
"""The rest of the line after it is the reason."""

_EXAMPLES: Final = {
    "percent": "--percent 5",
    "window": "--window 20m",
    "tier": "--tier NAME",
    "reason": '--reason "fixes the login"',
    "override": '--override "nobody can pay"',
}
_HINT: Final = "start SERVICE REVISION, for example: start shop v2 --percent 5 --window 20m"
_SHARE: Final = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?%")
_NUMBER: Final = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")


@dataclass(slots=True)
class _Parts:
    """Words that stand alone, and options by name."""

    words: list[str] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)

    def give(self, option: str, value: str) -> Misread | None:
        """Take an option's value, or say what is wrong with it."""
        if option in self.given:
            return Misread(f"`--{option}` is given twice.", "say it once")
        if not value and option == "override":
            why = "`--override` needs a reason, which is recorded together with your name."
            return Misread(why, f"for example: {_EXAMPLES[option]}")
        if not value:
            return Misread(f"`--{option}` needs a value.", f"for example: {_EXAMPLES[option]}")
        self.given[option] = value
        return None


def start(tokens: Sequence[str], known: Known) -> Asked | Misread:
    """What is to be started, how, and why."""
    parts = _split(tokens)
    if isinstance(parts, Misread):
        return parts
    if not parts.words:
        return _without_words(parts)
    service = known.service(tidy(parts.words[0]))
    if service is None:
        return unknown("service", parts.words[0], known.services)
    if wrong := _bare(parts, service, known):
        return wrong
    if len(parts.words) < 2:
        return _without_revision(parts, service)
    if wrong_revision := bad_revision(parts.words[1]):
        return Misread(wrong_revision, _HINT)
    return _checked(service, parts.words[1], parts.given, known)


def bad_revision(revision: str) -> str:
    """Why this cannot be a revision, or nothing."""
    if len(revision) > LONGEST_REVISION:
        length = len(revision)
        return f"A revision has at most {LONGEST_REVISION} characters, this one {length}."
    if not revision.isprintable() or any(char.isspace() for char in revision):
        return "A revision is made of visible characters without spaces."
    if revision.startswith("@"):
        return f"“{short(revision)}” mentions somebody; a revision does not begin with @."
    if "`" in revision:
        return "A revision has no backtick in it."
    return "" if revision else "A revision is needed."


def _without_words(parts: _Parts) -> Asked | Misread:
    if parts.given:
        return Misread("`start` needs a service and a revision.", _HINT)
    return Asked("start")


def _without_revision(parts: _Parts, service: str) -> Asked | Misread:
    """A service alone is asked for the rest; with options the rest was forgotten."""
    if not parts.given:
        return Asked("start", service)
    line = Line(f"start {service}", "asks for the rest")
    return Misread("`start` needs a revision, too.", _HINT, (line,))


def _split(tokens: Sequence[str]) -> _Parts | Misread:
    """Words and options; `--percent 5`, `--percent=5` and `percent=5` are the same."""
    parts, left = _Parts(), with_units(tokens)
    while left:
        token = left.pop(0)
        if token.casefold() == BECAUSE and parts.words:
            return _because(parts, left)
        option, equals, value = token.lstrip("-").partition("=")
        option = option.casefold()
        if not token.startswith("-") and not (equals and (option in OPTIONS or parts.words[2:])):
            parts.words.append(token)
            continue
        if option not in OPTIONS:
            return unknown("option", option, OPTIONS)
        if not equals:
            value = left.pop(0) if left and not left[0].startswith("-") else ""
        if option in _TALK and len(parts.words) > 1:
            while value and left and not left[0].startswith("--"):
                value += f" {left.pop(0)}"
        if option == "override" and value.split(" ", 1)[0].casefold() == BECAUSE:
            value = value[len(BECAUSE) :].strip()
        if wrong := parts.give(option, value):
            return wrong
    return parts


def _because(parts: _Parts, left: Sequence[str]) -> _Parts | Misread:
    for word in left:
        option = word.lstrip("-").partition("=")[0].casefold()
        if word.startswith("--") and option in OPTIONS:
            why = f"`--{option}` stands after `because`, where it would be part of the reason."
            return Misread(why, "put options first, and the reason last")
    wrong = parts.give("reason", " ".join(left))
    return wrong or parts


def _bare(parts: _Parts, service: str, known: Known) -> Misread | None:
    """Take a bare `5%` or `20m` after the revision; whatever else stands there is a question."""
    if len(parts.words) > 1 and _SHARE.fullmatch(parts.words[1]):
        parts.give("percent", parts.words.pop(1))
    more, parts.words[2:] = parts.words[2:], []
    for word in more:
        option = "percent" if _SHARE.fullmatch(word) else "window" if written_span(word) else ""
        if not option:
            return _what_is(word, more, parts, service, known)
        if wrong := parts.give(option, word):
            return wrong
    return None


def _what_is(word: str, more: Sequence[str], parts: _Parts, service: str, known: Known) -> Misread:
    begun = f"start {service} {parts.words[1]}"
    if _NUMBER.fullmatch(word):
        lines = (Line(f"{begun} --percent {word}"), Line(f"{begun} --window {word}m"))
        return Misread(f"“{short(word)}” what: percent, or minutes?", "", lines)
    tier = next((name for name in known.tiers if name.casefold() == word.casefold()), None)
    if tier is not None:
        return Misread("A tier is named with `--tier`.", "", (Line(f"{begun} --tier {tier}"),))
    extra = short(" ".join(more))
    why = f"`start` takes a service and a revision; what is “{extra}”?"
    because = Line(f"{begun} because {extra}", "if that is the reason")
    return Misread(why, _HINT, (because,))


def _checked(service: str, revision: str, given: dict[str, str], known: Known) -> Asked | Misread:
    percent, window, tier = given.get("percent"), given.get("window"), given.get("tier")
    if percent is not None:
        number = percent.rstrip("%").replace(",", ".")
        if not re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", number):
            what = f"“{short(percent)}” is not a percentage"
            return Misread(f"{what}; write for example 5 or 0.5.", _HINT)
        percent = number
    if window is not None:
        span = written_span(window)
        if span is None:
            return Misread(f"`--window`: {no_span(window)}", _HINT)
        window = span
    if tier is not None and (name := _same(tier, known.tiers)) is None:
        return unknown("tier", tier, known.tiers)
    tier = tier if tier is None else name
    reason, override = given.get("reason", ""), given.get("override")
    return Asked("start", service, revision, percent, window, tier, reason, override=override)


def _same(word: str, names: Sequence[str]) -> str | None:
    return next((name for name in names if name.casefold() == word.casefold()), None)
