"""Canaries in a row: those that are live, how the last ones ended, and what is frozen."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.canary import Canary, Promoted, Rejected, RolledBack
from bot.core.freezes import Freeze
from bot.slack.text import clip, count, duration, escaped, name
from bot.slack.views import canary as live
from bot.slack.views import ended, kit
from bot.slack.views.kit import Block, Message, code, named, on_day, strong, who, words
from bot.slack.views.room import MOST, first_of

MOST_LISTED: Final = 15
LONGEST_WHY: Final = 120
EACH_ROOM: Final = 3500
"""Characters for each of three lists in one message."""

Row = list[Block]


def list_message(
    running: Sequence[Canary],
    recent: Sequence[Canary],
    links: Sequence[str],
    freezes: Sequence[Freeze] = (),
) -> Message:
    """One line a canary, and what is frozen; `links` go with the live ones, in order."""
    shown = running[:MOST_LISTED]
    pairs = zip(shown, links[:MOST_LISTED], strict=True)
    rows = first_of([_live_row(canary, link) for canary, link in pairs], EACH_ROOM)
    more = len(running) - len(rows)
    ended_ones = [canary for canary in recent if canary.is_ended][:MOST_LISTED]
    over = first_of([ended_row(canary) for canary in ended_ones], EACH_ROOM)
    block = kit.rich(
        *_frozen(freezes),
        [strong("Live")],
        *(rows or [[words("No canary is live.")]]),
        [words(f"and {more} more")] if more else [],
        [strong("Ended")] if over else [],
        *over,
    )
    names = ", ".join(live.subject(canary) for canary in shown)
    text = f"Live canaries: {names}." if names else "No canary is live."
    held = f" Frozen: {', '.join(freeze.what for freeze in freezes)}." if freezes else ""
    return Message(escaped(f"{text}{held}", kit.TEXT_LENGTH), [block])


def history_message(
    past: Sequence[Canary], links: Sequence[str], service: str | None, command: str
) -> Message:
    """How the last ones ended, newest first; `links` go with them, in order."""
    of = f" of {name(service)}" if service else ""
    if not past:
        text = f"No canary{of} has ended yet."
        return kit.private(f"{text} `{command} list` shows those that are live.")
    shown = past[:MOST_LISTED]
    pairs = zip(shown, links[:MOST_LISTED], strict=True)
    rows = first_of([ended_row(canary, link) for canary, link in pairs], MOST - 500)
    first = [strong(f"The last {count(len(shown), 'canary', 'canaries')}{of}, newest first")]
    more = [code(f"{command} why ID"), words(" explains a decision.")]
    results = ", ".join(f"{live.subject(canary)} {result(canary)}" for canary in shown)
    text = f"The last canaries{of}: {results}."
    return Message(escaped(text, kit.TEXT_LENGTH), [kit.rich(first, *rows, more)])


def result(canary: Canary) -> str:
    """What became of it, in a word or two."""
    match canary.phase:
        case Promoted():
            return "promoted"
        case RolledBack(cause=cause):
            return "undone" if cause.kind == "undo" else "rolled back"
        case Rejected():
            return "did not start"
        case _:
            return "live"


def ended_at(canary: Canary) -> datetime | None:
    """When it ended; None while it is live."""
    phase = canary.phase
    return phase.at if isinstance(phase, Promoted | RolledBack | Rejected) else None


def clause(canary: Canary) -> str:
    """Why it ended so, in one clause."""
    match canary.phase:
        case Promoted(by=by):
            return f"approved by {name(by.name or by.id)}" if by else "by the numbers"
        case RolledBack(cause=cause) if cause.kind == "breach":
            return f"{ended.in_a_word(cause)} breached"
        case RolledBack(cause=cause) if cause.kind in {"abort", "undo"}:
            return cause.text
        case RolledBack(cause=cause):
            return ended.in_a_word(cause)
        case Rejected(reason=reason):
            return reason
        case _:
            return ""


def ended_row(canary: Canary, link: str = "") -> Row:
    """Result, revision, when, how long, by whom, why, and the id."""
    at = ended_at(canary)
    assert at is not None, "only what has ended is listed as ended"
    lasted = "" if canary.undoes else f" after {duration(at - canary.created_at)}"
    why = clip(clause(canary), LONGEST_WHY)
    mark = {"promoted": "✅", "rolled back": "↩️", "undone": "↩️"}.get(result(canary), "🚫")
    by = [] if canary.undoes else [words(" · started by "), who(canary.started_by)]
    return [
        words(f"{mark} {name(canary.service, live.SHORT)} "),
        code(canary.revision),
        strong(f" {result(canary)} "),
        on_day(at),
        words(lasted or " "),
        *by,
        words(f" · {why} · "),
        code(canary.id),
        *linked(link, " · open"),
    ]


def linked(url: str, label: str) -> Row:
    """A link after a dot, where there is one."""
    if not url:
        return []
    return [words(label[:3]), {"type": "link", "url": url, "text": label[3:]}]


def frozen_row(freeze: Freeze) -> Row:
    """What is frozen or locked, by whom, until when and why."""
    why = [words(f": {clip(freeze.reason, 200)}")] if freeze.reason else []
    return [
        strong(f"{sign(freeze)} {name(freeze.what)}"),
        words(f" is {freeze.done} by "),
        named(freeze.by),
        words(" "),
        *end_of(freeze),
        *why,
    ]


def sign(freeze: Freeze) -> str:
    """Which kind it is, at a glance."""
    return {"freeze": "❄️", "lock": "🔒", "calendar": "📅"}[freeze.kind]


def end_of(freeze: Freeze) -> Row:
    """Until when, in the reader's own time zone; or who ends it."""
    if freeze.until is None:
        return [words(freeze.end)]
    return [words("until "), on_day(freeze.until)]


def _frozen(freezes: Sequence[Freeze]) -> list[Row]:
    shown = first_of([frozen_row(freeze) for freeze in freezes[:MOST_LISTED]], EACH_ROOM)
    return [[strong("Frozen")], *shown] if shown else []


def _live_row(canary: Canary, link: str) -> Row:
    return [
        words(f"{live.headline(canary)} · started "),
        on_day(canary.created_at),
        words(" by "),
        who(canary.started_by),
        words(" · "),
        code(canary.id),
        *linked(link, " · open"),
    ]
