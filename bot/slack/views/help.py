"""Private answers that say what can be typed: help, and the lines to paste after a misreading."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

from bot.core.canary import Canary
from bot.slack.grammar import Line, Misread
from bot.slack.text import clip, escaped, name
from bot.slack.views import canary as live
from bot.slack.views import kit
from bot.slack.views.kit import Block, Message, code, strong, words

MOST_LISTED = 15
LOOKING: Final = frozenset({"status", "show", "why"})
LONGEST_LINE: Final = 100
"""What can be pasted is shown whole, or not as something to paste."""


class Use(NamedTuple):
    """One use of the command, under the heading it belongs to."""

    about: str
    line: str
    what: str


USES: Final = (
    Use("Start", "start", "a form, with what will happen spelled out before the button"),
    Use("Start", "start SERVICE REVISION", "begins a canary with the service's own plan"),
    Use("Start", "… --percent 5 --window 20m --tier NAME because …", "what differs, and why"),
    Use("Look", "status [TARGET]", "how it stands"),
    Use("Look", "list", "live canaries, freezes, and the last ones"),
    Use("Look", "history [SERVICE]", "how the last 15 ended"),
    Use("Look", "show [TARGET]", "everything about one, with its timeline"),
    Use("Look", "why [TARGET]", "the decision explained, or what it waits for"),
    Use("Decide", "approve [TARGET]", "says yes to what is being asked"),
    Use("Decide", "promote [TARGET]", "goes on before the window is over, once it is healthy"),
    Use("Decide", "abort [TARGET] [reason]", "all traffic back to stable, at once; for anybody"),
    Use("Decide", "pause [TARGET] [30m]", "holds the weight; still judged, still rolled back"),
    Use("Decide", "resume [TARGET]", "goes on after a pause"),
    Use("Decide", "extend [TARGET] [10m]", "watches longer before anything is decided"),
    Use("Decide", "undo SERVICE [reason]", "after a promotion, while stable is still warm"),
    Use(
        "Freeze", "freeze SERVICE|all [until 18:00 | for 2h] [reason]", "no starts; 24 h if unsaid"
    ),
    Use("Freeze", "unfreeze SERVICE|all", "lets it be started again"),
    Use("Freeze", "stop-the-line [reason]", "no starts of anything until somebody resumes it"),
    Use("Freeze", "resume-the-line", "ends that"),
    Use("Freeze", "lock SERVICE [until 18:00 | for 2h] [reason]", "only you may start it"),
    Use("Freeze", "unlock SERVICE", "ends that, whosever it is"),
    Use(
        "Freeze",
        "start SERVICE REVISION --override REASON",
        "in spite of all these; for approvers, and recorded",
    ),
)


def help_message(command: str, services: Sequence[str], tiers: Sequence[str]) -> Message:
    """Every use of the command, and the names it knows."""
    uses = [
        line
        for about, group in groupby(USES, key=lambda use: use.about)
        for line in ([strong(about)], *(_use(command, use) for use in group))
    ]
    known = [strong("Services: "), words(", ".join(services) or "none are configured")]
    kinds = [strong("Tiers: "), words(", ".join(tiers) or "none are configured")]
    target = [
        words(
            "TARGET is a service or a canary's id; without one it is the canary of this channel."
        )
    ]
    ends = [
        words("An end is written until 18:00, until friday 9:00, until 2026-12-24 18:00 (in UTC).")
    ]
    verbs = dict.fromkeys(use.line.split()[0] for use in USES if use.line[0].isalpha())
    text = f"How to use {escaped(command, 50)}. Uses: {', '.join(verbs)}, help."
    return Message(text, [kit.rich(*uses, target, ends, known, kinds)])


def _use(command: str, use: Use) -> list[Block]:
    shown = use.line if use.line.startswith("…") else f"{command} {use.line}"
    return [words("   "), code(shown), words(f" {use.what}")]


def misread_message(misread: Misread, command: str) -> Message:
    """What was not understood, and what to paste instead."""
    said = [_sentence(part) for part in (misread.reason, misread.hint) if part]
    more = f"Nothing changed. `{command} help` shows every use."
    return kit.private(" ".join([*said, more]), *pastes(misread.lines, command))


def pastes(lines: Sequence[Line], command: str) -> list[list[Block]]:
    """Lines to paste, each with what it is good for; those too long to be shown whole left out."""
    return [
        [code(f"{command} {line.text}"), *([words(f" {line.about}")] if line.about else [])]
        for line in lines
        if len(f"{command} {line.text}") <= LONGEST_LINE
    ]


def _sentence(text: str) -> str:
    """A capital first and a full stop last, so that one does not run into the next."""
    first = text if text.startswith(("`", "“")) else text[:1].upper() + text[1:]
    return first if first.endswith((".", "?", "!")) else f"{first}."


def several(candidates: Sequence[Canary], verb: str, command: str) -> Message:
    """More than one canary could be meant: say which, ready to be copied."""
    first = "More than one canary is live in this channel. Nothing changed; say which one:"
    return kit.private(first, *_each(candidates, verb, command))


def none_here(elsewhere: Sequence[Canary], verb: str, command: str) -> Message:
    """No canary is live in this channel; those that are live elsewhere are named."""
    if not elsewhere:
        so = "" if verb in LOOKING else f", so there is nothing to {verb}"
        text = f"No canary is live{so}. `list` shows the last ones."
        return kit.private(text.replace("`list`", f"`{clip(command, 40)} list`"))
    rows = _each(elsewhere, verb, command)
    return kit.private("No canary is live in this channel. Nothing changed. Elsewhere:", *rows)


def _each(candidates: Sequence[Canary], verb: str, command: str) -> list[list[Block]]:
    return [
        [code(f"{command} {verb} {name(canary.id)}"), words(f": {live.headline(canary)}")]
        for canary in candidates[:MOST_LISTED]
    ]
