"""The words after `/canary`: from one line of text to what was asked, or to what is wrong with it.

People type on phones and paste from documents: smart quotes and dashes, and the links Slack makes
of names, are read as what was meant.
"""

import difflib
import html
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Verb = Literal["start", "status", "list", "abort", "approve", "pause", "resume", "help"]

VERBS: Final[tuple[Verb, ...]] = (
    "start",
    "status",
    "list",
    "abort",
    "approve",
    "pause",
    "resume",
    "help",
)
OPTIONS: Final = ("percent", "window", "tier")
LONGEST_REVISION: Final = 100

_MEANT: Final[dict[str, Verb]] = {
    "rollback": "abort",
    "revert": "abort",
    "stop": "abort",
    "cancel": "abort",
    "kill": "abort",
    "promote": "approve",
    "yes": "approve",
    "ok": "approve",
    "deploy": "start",
    "ship": "start",
    "run": "start",
    "hold": "pause",
    "continue": "resume",
    "unpause": "resume",
    "ls": "list",
    "info": "status",
    "show": "status",
}
_QUOTES: Final = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"') | dict.fromkeys("\u2018\u2019\u201a", "'")
)
_LINK: Final = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_DASH: Final = re.compile(r"(?<!\S)[\u2014\u2013\u2212](?=[a-zA-Z])")
_VALUE: Final = re.compile(r"[^\s]{1,40}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked.

    Attributes:
        target: a service's name or a canary's id; None where it was left out.
        percent, window, tier: as written; whoever makes the plan checks them.
        reason: the rest of the line of an abort.

    """

    verb: Verb
    target: str | None = None
    revision: str = ""
    percent: str | None = None
    window: str | None = None
    tier: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Misread:
    """It was not understood: what is wrong, and what could have been meant."""

    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """The names a command may use."""

    services: Sequence[str] = field(default_factory=tuple)
    tiers: Sequence[str] = field(default_factory=tuple)


def parse(text: str, known: Known) -> Asked | Misread:
    """Read the text of a command."""
    tokens = _tokens(text)
    if not tokens:
        return Asked("help")
    first, rest = tokens[0].casefold(), tokens[1:]
    verb = next((verb for verb in VERBS if verb == first), None)
    match verb:
        case "start":
            return _start(rest, known)
        case "list" | "help":
            return Asked(verb)
        case "abort":
            return _abort(rest, known)
        case "status" | "approve" | "pause" | "resume":
            return _about_one(verb, rest, known)
        case None:
            return _unknown_verb(tokens[0])


def plain_words(text: str) -> str:
    """The text as it was meant: links as their words, entities and smart marks undone."""
    return html.unescape(_LINK.sub(_link_words, text)).translate(_QUOTES).strip()


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """The known name closest to this word, or nothing."""
    by_fold = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else ""


def _link_words(link: re.Match[str]) -> str:
    mark, target, label = link.groups()
    if mark in {"@", "#"}:
        return f"{mark}{label or target}"
    if mark == "!":
        return (label or target.partition("^")[0]).lstrip("@")
    return label or target.removeprefix("mailto:")


def _tokens(text: str) -> list[str]:
    line = _DASH.sub("--", plain_words(text))
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.quotes, lexer.escape = '"', ""  # an apostrophe is an apostrophe
    try:
        return list(lexer)
    except ValueError:  # a quote that is never closed
        return line.replace('"', " ").split()


def _start(tokens: Sequence[str], known: Known) -> Asked | Misread:
    options = _options(tokens)
    if isinstance(options, Misread):
        return options
    words, given = options
    hint = "start SERVICE REVISION, for example: start shop v2 --percent 5 --window 20m"
    if len(words) < 2:
        missing = "a service and a revision" if not words else "a revision"
        return Misread(f"`start` needs {missing}.", hint)
    if len(words) > 2:
        extra = " ".join(words[2:])
        return Misread(f"`start` takes a service and a revision; what is “{extra}”?", hint)
    service = _service(words[0], known)
    if service is None:
        return _unknown_service(words[0], known)
    if wrong := _bad_revision(words[1]):
        return Misread(wrong, hint)
    tier = given.get("tier")
    if tier is not None and tier not in known.tiers:
        return _unknown("tier", tier, known.tiers)
    return Asked(
        "start",
        service,
        words[1],
        percent=given.get("percent"),
        window=given.get("window"),
        tier=tier,
    )


def _options(tokens: Sequence[str]) -> tuple[list[str], dict[str, str]] | Misread:
    """Split words from options; `--percent 5`, `--percent=5` and `percent=5` are the same."""
    words: list[str] = []
    given: dict[str, str] = {}
    left = [word for word in tokens if word != "%"]  # `5 %` is `5%`
    while left:
        token = left.pop(0)
        option, equals, value = token.lstrip("-").partition("=")
        option = option.casefold()
        if not token.startswith("-") and not (equals and (option in OPTIONS or words[1:])):
            words.append(token)
            continue
        if option not in OPTIONS:
            return _unknown("option", option, OPTIONS)
        if not equals:
            value = left.pop(0) if left and not left[0].startswith("-") else ""
        if not _VALUE.fullmatch(value):
            return Misread(f"`--{option}` needs a value.", f"for example: {_EXAMPLES[option]}")
        if option in given:
            return Misread(f"`--{option}` is given twice.", "say it once")
        given[option] = value.rstrip("%").replace(",", ".") if option == "percent" else value
    return words, given


_EXAMPLES: Final = {
    "percent": "--percent 5",
    "window": "--window 20m",
    "tier": "--tier NAME",
}


def _bad_revision(revision: str) -> str:
    """Why this cannot be a revision, or nothing."""
    if len(revision) > LONGEST_REVISION:
        length = len(revision)
        return f"A revision has at most {LONGEST_REVISION} characters, this one {length}."
    if not revision.isprintable() or any(char.isspace() for char in revision):
        return "A revision is made of visible characters without spaces."
    return ""


def _about_one(verb: Verb, tokens: Sequence[str], known: Known) -> Asked | Misread:
    if not tokens:
        return Asked(verb)
    if len(tokens) > 1:
        return Misread(f"`{verb}` takes one service or canary id.", f"for example: {verb} shop")
    target = _target(tokens[0], known)
    return Asked(verb, target) if target else _unknown_service(tokens[0], known)


def _abort(tokens: Sequence[str], known: Known) -> Asked | Misread:
    if not tokens:
        return Asked("abort")
    target = _target(tokens[0], known)
    if target:
        return Asked("abort", target, reason=" ".join(tokens[1:]))
    # A word like a service's name was meant as one, and another service must not suffer for it.
    # Anything else is a reason: an emergency stop does not fail over its wording.
    if did_you_mean(tokens[0], known.services):
        return _unknown_service(tokens[0], known)
    return Asked("abort", reason=" ".join(tokens))


def _target(word: str, known: Known) -> str | None:
    """A service's name as configured, or a canary's id: a service's name, a dash, and more."""
    service = _service(word, known)
    if service is not None:
        return service
    is_id = any(
        re.fullmatch(rf"{re.escape(service)}-[a-z0-9]{{1,40}}", word.casefold())
        for service in (name.casefold() for name in known.services)
    )
    return word.casefold() if is_id else None


def _service(word: str, known: Known) -> str | None:
    wanted = word.lstrip("#").casefold()
    return next((name for name in known.services if name.casefold() == wanted), None)


def _unknown_verb(word: str) -> Misread:
    meant = _MEANT.get(word.casefold()) or did_you_mean(word, VERBS)
    hint = f"Did you mean `{meant}`?" if meant else ""
    return Misread(f"“{_short(word)}” is not known. Known: {', '.join(VERBS)}.", hint)


def _unknown_service(word: str, known: Known) -> Misread:
    return _unknown("service or canary id", word, known.services)


def _unknown(what: str, word: str, names: Sequence[str]) -> Misread:
    meant = did_you_mean(word, names)
    listed = ", ".join(names) or "none are configured"
    hint = f"Did you mean `{meant}`?" if meant else ""
    return Misread(f"There is no {what} “{_short(word)}”. Known: {listed}.", hint)


def _short(word: str) -> str:
    return word if len(word) <= 60 else f"{word[:59]}…"
