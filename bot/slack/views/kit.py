"""The few blocks the views are made of; outside text goes only where Slack takes it literally.

`rich_text` and `plain_text` with emoji off know no escapes and no formatting, so a revision named
`<!channel>` is just a name there. The one mrkdwn field, the context line, takes escaped text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from bot.core.plan import ANYONE, Actor, Gate
from bot.slack.text import clean, clip, clock_time, escaped, name

Block = dict[str, Any]
Line = Sequence[Block]

NOTHING: Final = "-"
HEADER_LENGTH: Final = 150
ELEMENT_LENGTH: Final = 600
CELL_LENGTH: Final = 120
TEXT_LENGTH: Final = 600

_PERSON = re.compile(r"[UW][A-Z0-9]{5,20}")
_GROUP = re.compile(r"S[A-Z0-9]{5,20}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{5,20}")


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to Slack.

    Attributes:
        text: one full sentence for notifications and screen readers, escaped.
        blocks: ids are unique within the message and new at each rendering.
        same: what tells two renderings apart, without the time of rendering.
        broadcast: whether a thread reply is shown in the channel as well.

    """

    text: str
    blocks: list[Block] = field(default_factory=list)
    same: str = ""
    broadcast: bool = False


def is_person(slack_id: str) -> bool:
    """Whether this is a Slack user's id, which can be mentioned."""
    return _PERSON.fullmatch(slack_id) is not None


def is_group(slack_id: str) -> bool:
    """Whether this is a Slack user group's id."""
    return _GROUP.fullmatch(slack_id) is not None


def is_channel(slack_id: str) -> bool:
    """Whether this is the id of a channel, public or private."""
    return _CHANNEL.fullmatch(slack_id) is not None


def words(text: str, *, bold: bool = False, longest: int = ELEMENT_LENGTH) -> Block:
    """Literal text within a rich_text line, spaces at its ends kept; never empty."""
    kept = clip(clean(f"|{text}|")[1:-1], longest) or NOTHING
    return {"type": "text", "text": kept} | ({"style": {"bold": True}} if bold else {})


def strong(text: str) -> Block:
    """Bold literal text."""
    return words(text, bold=True)


def code(text: str) -> Block:
    """A name from outside, set apart from the words around it."""
    return {"type": "text", "text": name(text, 100), "style": {"code": True}}


def when(at: datetime, form: Literal["{time}", "{date_short_pretty} at {time}"]) -> Block:
    """An instant in the reader's own time zone."""
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": form,
        "fallback": clock_time(at) if form == "{time}" else f"{at:%Y-%m-%d} {clock_time(at)}",
    }


def at_time(at: datetime) -> Block:
    """The time of day, for what is under way."""
    return when(at, "{time}")


def on_day(at: datetime) -> Block:
    """Day and time, for what may be read a month later."""
    return when(at, "{date_short_pretty} at {time}")


def who(actor: Actor) -> Block:
    """A person as a mention, a machine by its name."""
    if is_person(actor.id):
        return {"type": "user", "user_id": actor.id}
    return code(actor.name or actor.id)


def named(actor: Actor) -> Block:
    """A person by name: they know what they did, so nobody's telephone need ring."""
    return strong(name(actor.name)) if actor.name else who(actor)


def mention(slack_id: str) -> Block:
    """An approver: a person, a group, whoever is in a channel, or an id that is none of these."""
    if is_channel(slack_id):
        return {"type": "channel", "channel_id": slack_id}
    if is_person(slack_id):
        return {"type": "user", "user_id": slack_id}
    if is_group(slack_id):
        return {"type": "usergroup", "usergroup_id": slack_id}
    return code(slack_id)


def approvers(gate: Gate) -> list[Block]:
    """Who may decide here, as mentions."""
    if ANYONE in gate.approvers:
        return [words("anyone in this workspace")]
    if not gate.approvers:
        return [words("nobody (no approvers are configured for this tier)")]
    parts: list[Block] = []
    for place, approver in enumerate(gate.approvers[:20]):
        parts += [words(", ")] if place else []
        parts += [words("whoever is in ")] if is_channel(approver) else []
        parts.append(mention(approver))
    left = len(gate.approvers) - 20
    return [*parts, words(f" and {left} more")] if left > 0 else parts


def rich(*lines: Line) -> Block:
    """A rich_text block of these lines; empty ones are left out."""
    elements: list[Block] = []
    for line in (line for line in lines if line):
        if elements:
            elements.append({"type": "text", "text": "\n"})
        elements.extend(line)
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": elements}],
    }


def preformatted(lines: Sequence[str], most: int, longest: int) -> Block:
    """Log lines as they are, at most `most` lines of `longest` characters, newest kept.

    A traceback, folded into one line by its redaction, is unfolded again.
    """
    shown = [clip(clean(line), longest).replace(" ↵ ", "\n  ") or " " for line in lines[-most:]]
    return {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_preformatted",
                "elements": [{"type": "text", "text": "\n".join(shown)}],
            }
        ],
    }


def header(text: str) -> Block:
    """A headline; literal."""
    return {"type": "header", "text": _plain(text, HEADER_LENGTH)}


def context(mrkdwn: str) -> Block:
    """Small print; the caller escapes what comes from outside."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn, "verbatim": True}]}


def updated(at: datetime) -> str:
    """An instant to the second, for the small print."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}|{at:%H:%M:%S} UTC>"


def small_code(text: str) -> str:
    """A name from outside as code within mrkdwn, where a backtick would end it."""
    return f"`{escaped(name(text, 100).replace('`', chr(0x2019)), 300)}`"


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Block:
    """A table of literal text, its first row the headings; columns in `right` are numbers."""
    width = len(rows[0])
    settings = [{"align": "right" if column in right else "left"} for column in range(width)]
    return {
        "type": "table",
        "column_settings": [{**setting, "is_wrapped": True} for setting in settings],
        "rows": [
            [
                {"type": "raw_text", "text": clip(clean(cell), CELL_LENGTH) or NOTHING}
                for cell in row
            ]
            for row in rows
        ],
    }


def actions(*buttons: Block) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def button(
    label: str,
    action_id: str,
    value: str,
    *,
    spoken: str,
    style: Literal["primary", "danger"] | None = None,
    confirm: Block | None = None,
) -> Block:
    """A button; `spoken` is what a screen reader says."""
    made: Block = {
        "type": "button",
        "action_id": action_id,
        "text": _plain(label, 75),
        "value": value,
        "accessibility_label": name(spoken, 75),
    }
    if style is not None:
        made["style"] = style
    return made | ({"confirm": confirm} if confirm else {})


def confirm(
    title: str, text: str, yes: str, style: Literal["primary", "danger"] = "primary"
) -> Block:
    """The question asked before a button's click counts; literal."""
    return {
        "title": _plain(title, 100),
        "text": _plain(text, 300),
        "confirm": _plain(yes, 30),
        "deny": _plain("Not now", 30),
        "style": style,
    }


def stamped(blocks: Sequence[Block], at: datetime) -> list[Block]:
    """The same blocks with ids of this rendering: Slack wants new ones at every update."""
    moment = int(at.timestamp() * 1000)
    return [
        {**block, "block_id": f"{block['type']}.{place}.{moment}"}
        for place, block in enumerate(blocks)
    ]


def private(text: str, *lines: Line, ids: Sequence[str] = ()) -> Message:
    """A private answer: plain words from anywhere, more lines below if need be.

    What stands in backticks is shown as code, and `ids` of people and groups as mentions.
    """
    spoken = escaped(text, 2500)
    for one in ids:
        spoken = re.sub(rf"\b{re.escape(one)}\b", _spoken(one), spoken)
    return Message(spoken or NOTHING, [rich(prose(text, ids), *lines)])


def _spoken(slack_id: str) -> str:
    """An id as a mention within mrkdwn; what is no id stays as it is."""
    if is_person(slack_id):
        return f"<@{slack_id}>"
    if is_channel(slack_id):
        return f"whoever is in <#{slack_id}>"
    return f"<!subteam^{slack_id}>" if is_group(slack_id) else slack_id


def prose(text: str, ids: Sequence[str] = ()) -> list[Block]:
    """A sentence as literal text, with code and mentions set apart."""
    named = [re.escape(one) for one in ids if is_person(one) or is_group(one) or is_channel(one)]
    parts = re.split("|".join(["(`[^`]+`", *(rf"\b{one}\b" for one in named)]) + ")", text)
    line: list[Block] = []
    for part in (part for part in parts if part):
        if part in ids:
            line += [words("whoever is in ")] if is_channel(part) else []
            line.append(mention(part))
        elif len(part) > 2 and part[0] == part[-1] == "`":
            line.append(code(part[1:-1]))
        else:
            line.append(words(part, longest=2000))
    return line[:50] or [words(text)]


def _plain(text: str, longest: int) -> Block:
    return {"type": "plain_text", "text": name(text, longest), "emoji": False}
