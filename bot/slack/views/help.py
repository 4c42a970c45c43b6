"""Private answers to a command: help, status and what went wrong."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.canary import Canary
from bot.slack.text import clip, escaped, name
from bot.slack.views import canary as live
from bot.slack.views import kit
from bot.slack.views.kit import Block, Message, code, strong, words
from bot.slack.views.slos import slo_table
from bot.slack.views.story import lines

MOST_LISTED = 15

USES = (
    ("start SERVICE REVISION [--percent 5] [--window 20m] [--tier NAME]", "begin a canary"),
    ("status [SERVICE or ID]", "how it stands"),
    ("list", "live canaries, and the last ones"),
    ("approve [SERVICE or ID]", "say yes to what is being asked"),
    ("abort [SERVICE or ID] [reason]", "all traffic back to stable, at once"),
    ("pause [SERVICE or ID]", "hold the weight; still judged"),
    ("resume [SERVICE or ID]", "go on after a pause"),
    ("help", "this"),
)


def help_message(command: str, services: Sequence[str], tiers: Sequence[str]) -> Message:
    """Every use of the command, and the names it knows."""
    uses = [[code(f"{command} {use}"), words(f": {what}")] for use, what in USES]
    known = [strong("Services: "), words(", ".join(services) or "none are configured")]
    kinds = [strong("Tiers: "), words(", ".join(tiers) or "none are configured")]
    note = [words("Without SERVICE or ID: the one canary that is live in this channel.")]
    text = f"Uses: {', '.join(use.split()[0] for use, _ in USES)}."
    blocks = [kit.rich([strong("Canary deploys")], *uses, note, known, kinds)]
    return Message(f"How to use {escaped(command, 50)}. {text}", blocks)


def status_message(canary: Canary, now: datetime, link: str) -> Message:
    """One canary as it stands, without buttons: this copy is not kept up to date."""
    blocks = [kit.header(live.headline(canary)), kit.rich(*lines(canary, now))]
    found = slo_table(canary.judge)
    if found is not None:
        blocks.append(found)
    row = [words("As of now · "), code(canary.id)]
    blocks.append(kit.rich([*row, *_link(link, " · live message")]))
    return Message(live.notification(canary, now), blocks)


def list_message(
    running: Sequence[Canary], recent: Sequence[Canary], links: Sequence[str]
) -> Message:
    """One line a canary; `links` go with the live ones, in order."""
    ended = [canary for canary in recent if canary.is_ended]
    shown = running[:MOST_LISTED]
    rows = [
        _row(canary, link) for canary, link in zip(shown, links[:MOST_LISTED], strict=True)
    ] or [[words("No canary is live.")]]
    more = len(running) - len(shown)
    past = [_row(canary, "") for canary in ended[:MOST_LISTED]]
    blocks = [
        kit.rich(
            [strong("Live")],
            *rows,
            [words(f"and {more} more")] if more else [],
            [strong("Ended")] if past else [],
            *past,
        )
    ]
    names = ", ".join(live.subject(canary) for canary in shown)
    text = f"Live canaries: {names}." if names else "No canary is live."
    return Message(escaped(text, kit.TEXT_LENGTH), blocks)


def _row(canary: Canary, link: str) -> list[Block]:
    return [words(f"{live.headline(canary)} · "), code(canary.id), *_link(link, " · open")]


def _link(url: str, label: str) -> list[Block]:
    if not url:
        return []
    return [words(label[:3]), {"type": "link", "url": url, "text": label[3:]}]


def several(candidates: Sequence[Canary], verb: str, command: str) -> Message:
    """More than one canary could be meant: say which, ready to be copied."""
    rows = [
        [code(f"{command} {verb} {name(canary.id)}"), words(f": {live.headline(canary)}")]
        for canary in candidates[:MOST_LISTED]
    ]
    first = "More than one canary is live in this channel. Nothing changed; say which one:"
    return kit.private(first, *rows)


def none_here(elsewhere: Sequence[Canary], verb: str, command: str) -> Message:
    """No canary is live in this channel; those that are live elsewhere are named."""
    if not elsewhere:
        text = f"No canary is live, so there is nothing to {verb}. `list` shows the last ones."
        return kit.private(text.replace("`list`", f"{clip(command, 40)} list"))
    rows = [
        [code(f"{command} {verb} {name(canary.id)}"), words(f": {live.headline(canary)}")]
        for canary in elsewhere[:MOST_LISTED]
    ]
    return kit.private("No canary is live in this channel. Elsewhere:", *rows)
