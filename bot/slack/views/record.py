"""One canary, as it stands now or as a whole: plan, decisions and timeline."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.canary import Canary, Entry
from bot.core.plan import Gate
from bot.slack.text import clip, duration
from bot.slack.views import canary as live
from bot.slack.views import kit
from bot.slack.views.kit import Block, Message, approvers, at_time, code, strong, who, words
from bot.slack.views.listing import linked
from bot.slack.views.room import MOST, last_of, size
from bot.slack.views.slos import slo_table
from bot.slack.views.story import conditions, lines

MOST_ENTRIES: Final = 25
"""Of the timeline, the newest kept; fewer where they are long."""

MOST_DECISIONS: Final = 10
DECISIONS_ROOM: Final = 1500
LONGEST_ENTRY: Final = 160

Row = list[Block]


def status_message(canary: Canary, now: datetime, link: str) -> Message:
    """One canary as it stands, without buttons: this copy is not kept up to date."""
    return Message(live.notification(canary, now), _standing(canary, now, link))


def show_message(canary: Canary, now: datetime, link: str, command: str) -> Message:
    """The whole of one canary: how it stands, its plan, who decided what, and its timeline."""
    decided = decisions(canary)
    people = [[strong("Decisions")], *(decided or [[words("Nobody has decided anything.")]])]
    more = [code(f"{command} why {canary.id}"), words(" explains the decision.")]
    blocks = [*_standing(canary, now, link), kit.rich(*_plan(canary)), kit.rich(*people)]
    room = MOST - size(blocks) - size(more)
    blocks.append(kit.rich(*_timeline(canary.timeline, room), more))
    return Message(live.notification(canary, now), blocks)


def decisions(canary: Canary) -> list[Row]:
    """What people did, oldest first, each with who and when; the newest kept."""
    by_people = [entry for entry in canary.timeline if entry.by is not None]
    return last_of([_entry(entry) for entry in by_people[-MOST_DECISIONS:]], DECISIONS_ROOM)


def _standing(canary: Canary, now: datetime, link: str) -> list[Block]:
    blocks = [kit.header(live.headline(canary)), kit.rich(*lines(canary, now))]
    found = slo_table(canary.judge)
    if found is not None:
        blocks.append(found)
    row = [words("As of now · "), code(canary.id)]
    return [*blocks, kit.rich([*row, *linked(link, " · live message")])]


def _plan(canary: Canary) -> list[Row]:
    plan = canary.plan
    promoted = [strong("Promotion: "), words("by the numbers, nobody is asked")]
    started = [strong("Start: "), words("at once, nobody is asked")]
    unsure = f"{duration(plan.extension)} longer, then a person is asked"
    return [
        [strong("Plan")],
        _gate("Start: ", canary, plan.start_gate) if plan.start_gate else started,
        _gate("Promotion: ", canary, plan.promote_gate) if plan.promote_gate else promoted,
        [strong("Too little evidence: "), words(unsure)],
        _gate("Who is asked then: ", canary, plan.promote_gate or plan.decision),
        [strong("Looked at: "), words(f"every {duration(plan.tick)}")],
    ]


def _gate(label: str, canary: Canary, gate: Gate) -> Row:
    silence = words(f", within {duration(gate.timeout)}; silence means no")
    return [strong(label), *approvers(gate), *conditions(canary, gate), silence]


def _timeline(timeline: Sequence[Entry], room: int) -> list[Row]:
    shown = last_of([_entry(entry) for entry in timeline[-MOST_ENTRIES:]], room - 100)
    left_out = len(timeline) - len(shown)
    earlier = [words(f"({left_out} earlier left out)")] if left_out else []
    return [[strong("Timeline")], earlier, *shown]


def _entry(entry: Entry) -> Row:
    by = [words(" · "), who(entry.by)] if entry.by is not None else []
    return [at_time(entry.at), words(f"  {clip(entry.text, LONGEST_ENTRY)}"), *by]
