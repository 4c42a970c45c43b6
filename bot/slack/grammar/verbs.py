"""One small reader a verb; what is only guessed is given back as a line to paste."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.deciding import LONGEST
from bot.core.freezes import ALL
from bot.slack.grammar.asked import VERBS, Asked, Known, Line, Misread, Verb
from bot.slack.grammar.freezing import freeze, stop_the_line, unfreeze
from bot.slack.grammar.moments import no_span, span_of
from bot.slack.grammar.starts import BECAUSE, start
from bot.slack.grammar.typed import (
    did_you_mean,
    short,
    tidy,
    unknown,
    with_units,
    words_of,
)

_MEANT: Final[dict[str, tuple[Verb, ...]]] = {
    "rollback": ("abort", "undo"),
    "roll-back": ("abort", "undo"),
    "revert": ("abort", "undo"),
    "back": ("abort", "undo"),
    "stop": ("abort",),
    "cancel": ("abort",),
    "kill": ("abort",),
    "halt": ("abort",),
    "no": ("abort",),
    "reject": ("abort",),
    "deny": ("abort",),
    "yes": ("approve",),
    "ok": ("approve",),
    "lgtm": ("approve",),
    "confirm": ("approve",),
    "go": ("approve", "promote"),
    "finish": ("promote",),
    "deploy": ("start",),
    "ship": ("start",),
    "run": ("start",),
    "launch": ("start",),
    "hold": ("pause",),
    "wait": ("pause",),
    "continue": ("resume",),
    "unpause": ("resume",),
    "longer": ("extend",),
    "prolong": ("extend",),
    "ls": ("list",),
    "info": ("status",),
    "state": ("status",),
    "past": ("history",),
    "log": ("history",),
    "get": ("show",),
    "describe": ("show",),
    "details": ("show",),
    "explain": ("why",),
    "reason": ("why",),
    "thaw": ("unfreeze",),
    "reserve": ("lock",),
    "andon": ("stop-the-line",),
    "stop-line": ("stop-the-line",),
    "stop-all": ("stop-the-line",),
    "freeze-all": ("stop-the-line",),
    "resume-line": ("resume-the-line",),
    "start-the-line": ("resume-the-line",),
}
_ABOUT: Final[dict[Verb, str]] = {
    "abort": "while it is live: all traffic back to stable, at once",
    "undo": "after its promotion",
    "approve": "says yes to what is being asked",
    "promote": "goes on before the window is over",
}
_FOR_HELP: Final = frozenset({"?", "-h", "--help", "h", "/help"})
_BEGIN_A_REASON: Final = frozenset({BECAUSE, "--reason", "-", "--"})
_FILLERS: Final = frozenset({"by", "for", "another", "more"})


def parse(text: str, known: Known, now: datetime) -> Asked | Misread:
    """Read the text of a command; `now` is aware UTC."""
    tokens = words_of(text, known)
    if tokens and re.fullmatch(r"/[a-z-]*canary", tokens[0].casefold()):
        tokens = tokens[1:]  # the whole line was pasted
    if not tokens or tokens[0].casefold() in _FOR_HELP:
        return Asked("help")
    tokens = _one_word(tokens)
    first, rest = tidy(tokens[0]).casefold(), tokens[1:]
    verb = next((verb for verb in VERBS if verb == first), None)
    if verb is None:
        return _unknown_verb(tokens[0], rest, known)
    return _read(verb, rest, known, now)


def _one_word(tokens: list[str]) -> list[str]:
    """`stop the line` is the command of that name, too."""
    said = tuple(tidy(token).casefold() for token in tokens[:3])
    if said in {("stop", "the", "line"), ("resume", "the", "line")}:
        return ["-".join(said), *tokens[3:]]
    return tokens


def _read(verb: Verb, rest: list[str], known: Known, now: datetime) -> Asked | Misread:
    match verb:
        case "start":
            return start(rest, known)
        case "help":
            return Asked(verb)
        case "list":
            return Asked(verb, known.service(tidy(rest[0])) if rest else None)
        case "history":
            return _history(rest, known)
        case "abort":
            return _abort(rest, known)
        case "undo":
            return _undo(rest, known)
        case "pause" | "extend":
            return _for_a_while(verb, rest, known)
        case "freeze" | "lock":
            return freeze(rest, known, now, verb)
        case "unfreeze" | "unlock":
            return unfreeze(rest, known, verb)
        case "stop-the-line":
            return stop_the_line(rest, known, now)
        case "resume-the-line":
            return Asked(verb)
        case "status" | "show" | "why" | "approve" | "promote" | "resume":
            return _about_one(verb, rest, known)


def _about_one(verb: Verb, tokens: Sequence[str], known: Known) -> Asked | Misread:
    if not tokens:
        return Asked(verb)
    target = _target(tokens[0], known)
    if target is None:
        return _unknown_target(tokens[0], known)
    if len(tokens) > 1:
        line = Line(f"{verb} {target}")
        return Misread(f"`{verb}` takes one service or canary id, and no more.", "", (line,))
    return Asked(verb, target)


def _history(tokens: Sequence[str], known: Known) -> Asked | Misread:
    if not tokens:
        return Asked("history")
    service = known.service(tidy(tokens[0]))
    return Asked("history", service) if service else unknown("service", tokens[0], known.services)


def _abort(tokens: Sequence[str], known: Known) -> Asked | Misread:
    if not tokens:
        return Asked("abort")
    target = _target(tokens[0], known)
    if target:
        return Asked("abort", target, reason=_reason(tokens[1:]))
    # A word like a service's name was meant as one, and another service must not suffer for it.
    # Anything else is a reason: an emergency stop does not fail over its wording.
    other = _another(tokens, known)
    if other is not None:
        here = Line(f"abort because {short(' '.join(tokens))}", "for the one that is live here")
        wrong = unknown("service or canary id", tokens[0], known.services)
        return Misread(wrong.reason, wrong.hint, (*other, here))
    return Asked("abort", reason=_reason(tokens))


def _another(tokens: Sequence[str], known: Known) -> tuple[Line, ...] | None:
    """Lines for the service that may have been meant; None where the words are just a reason."""
    word, rest = tidy(tokens[0]), tokens[1:]
    if word.casefold() in _BEGIN_A_REASON:
        return None
    like = (
        name
        for name in known.services
        if re.match(rf"{re.escape(name)}[-_.]", word, re.IGNORECASE)
    )
    near = did_you_mean(word, known.services) or next(like, "")
    if near:
        return (Line(" ".join(["abort", near, *rest])),)
    named = next((found for token in rest if (found := _target(token, known))), "")
    if named:
        return (Line(f"abort {named} because {short(' '.join(tokens))}"),)
    return () if word.startswith("#") else None


def _undo(tokens: Sequence[str], known: Known) -> Asked | Misread:
    if not tokens:
        return Asked("undo")
    target = _target(tokens[0], known)
    if target is None:
        return _unknown_target(tokens[0], known)
    return Asked("undo", target, reason=_reason(tokens[1:]))


def _for_a_while(verb: Verb, tokens: Sequence[str], known: Known) -> Asked | Misread:
    """`extend [TARGET] [10m]` and `pause [TARGET] [30m]`, in either order."""
    target: str | None = None
    span: timedelta | None = None
    for token in with_units([word for word in tokens if word.casefold() not in _FILLERS]):
        told = span_of(tidy(token))
        found = _target(token, known)
        if told is not None and span is None:
            span = told
        elif found is not None and target is None:
            target = found
        elif token[:1].isdigit():
            number = tidy(token)
            line = Line(" ".join(filter(None, [verb, target, f"{number}m"])))
            lines = (line,) if re.fullmatch(r"\d{1,4}", number) else ()
            return Misread(f"`{verb}`: {no_span(number, '10m')}", "", lines)
        elif target is None:
            return _unknown_target(token, known)
        else:
            example = f"for example: {verb} {target} {'10m' if verb == 'extend' else '30m'}"
            return Misread(f"`{verb}` takes one service or canary id, and a duration.", example)
    if span is not None and not timedelta(0) < span <= LONGEST:
        hours = LONGEST.total_seconds() / 3600
        why = f"`{verb}` takes more than nothing and at most {hours:g} h."
        return Misread(why, f"for example: {verb} 30m")
    return Asked(verb, target, span=span)


def _reason(tokens: Sequence[str]) -> str:
    """The rest of the line, without the word that begins it."""
    left = list(tokens)
    if left and left[0].casefold() in _BEGIN_A_REASON:
        left = left[1:]
    return " ".join(left)


def _target(word: str, known: Known) -> str | None:
    """A service's name as configured, or a canary's id: a service's name, a dash, and more."""
    word = tidy(word)
    service = known.service(word)
    if service is not None:
        return service
    wanted = word.casefold()
    for name in known.services:
        if re.fullmatch(rf"{re.escape(name.casefold())}-[a-z0-9]{{1,40}}", wanted):
            return f"{name}{wanted[len(name.casefold()) :]}"
    return None


def _unknown_verb(word: str, rest: Sequence[str], known: Known) -> Misread:
    target = _target(word, known)
    if target is not None:
        return _no_verb(target, rest, known)
    typed = tidy(word).casefold()
    if typed in {"roll", "go"} and rest and rest[0].casefold() in {"back", "on"}:
        typed, rest = ("continue" if rest[0].casefold() == "on" else "rollback"), rest[1:]
    guess = did_you_mean(typed, VERBS)
    verbs = _MEANT.get(typed) or tuple(verb for verb in VERBS if verb == guess)
    if not verbs:
        return Misread(f"“{short(word)}” is not known. Known: {', '.join(VERBS)}.")
    tail = " ".join(_canonical(rest, known))
    lines = tuple(Line(f"{verb} {tail}".strip(), _ABOUT.get(verb, "")) for verb in verbs)
    names = " or ".join(f"`{verb}`" for verb in verbs)
    why = f"“{short(word)}” is not a command."
    return Misread(why, f"Did you mean {names}?", lines if tail or verbs[1:] else ())


def _no_verb(target: str, rest: Sequence[str], known: Known) -> Misread:
    """A service or a canary where a command should stand."""
    swapped = tidy(rest[0]).casefold() if rest else ""
    verb = next((verb for verb in VERBS if verb == swapped), None)
    if verb is not None:
        line = Line(" ".join([verb, target, *rest[1:]]))
        return Misread(f"The command comes first, then “{short(target)}”.", "", (line,))
    about, live = ("a service", True) if target in known.services else ("a canary", False)
    lines = (
        Line(f"status {target}", "how it stands"),
        Line(f"start {target} REVISION", "begins a canary") if live else Line(f"why {target}"),
        Line(f"abort {target}", "all traffic back to stable, at once"),
    )
    return Misread(f"“{short(target)}” is {about}, not a command.", "", lines)


def _canonical(rest: Sequence[str], known: Known) -> list[str]:
    """The words after a command, the first as the name that is known."""
    if not rest:
        return []
    first = ALL if rest[0].casefold() == ALL else _target(rest[0], known)
    return [first or rest[0], *rest[1:]]


def _unknown_target(word: str, known: Known) -> Misread:
    return unknown("service or canary id", word, known.services)
