"""The live message: one canary, whole, as of now."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Observing,
    Paused,
    PendingApproval,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.core.commands import Question
from bot.core.deciding import why_not_early
from bot.core.plan import FULL
from bot.slack.text import duration, escaped, name
from bot.slack.views import ended, kit, story
from bot.slack.views.kit import Block, Message
from bot.slack.views.slos import slo_table

SHORT: Final = 48
EXTENSION: Final = timedelta(minutes=10)
"""What the button adds to the window."""


class Action(StrEnum):
    """The buttons, by the id Slack sends back."""

    APPROVE = "canary_approve"
    ABORT = "canary_abort"
    PAUSE = "canary_pause"
    RESUME = "canary_resume"
    PROMOTE = "canary_promote"
    EXTEND = "canary_extend"
    UNDO = "canary_undo"
    WHY = "canary_why"
    FALSE_ALARM = "canary_false_alarm"
    REAL = "canary_real"


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a button carries: which canary, and what its reader was being asked, at which step."""

    canary_id: str
    question: Question | None = None
    step: int | None = None

    def dump(self) -> str:
        """As a button's value."""
        return json.dumps({"id": self.canary_id, "question": self.question, "step": self.step})

    @classmethod
    def read(cls, value: str) -> "Pressed":
        """From a button's value.

        Raises:
            ValueError: it is no value of ours.

        """
        match json.loads(value):
            case {
                "id": str(canary_id),
                "question": None | "start" | "promote" | "thin" | "blind" | "orphan" as question,
                **more,
            }:
                step = more.get("step")
                return cls(canary_id, question, step if isinstance(step, int) else None)
            case _:
                raise ValueError("the button does not carry a canary and a question")


def live_message(
    canary: Canary, now: datetime, *, plain: bool = False, every: str | None = None
) -> Message:
    """The channel message of this canary; `plain` avoids the newer blocks.

    `every` says how often it is updated, where that is seldom; in words that need no escaping.
    """
    blocks = [kit.header(headline(canary)), kit.rich(*story.lines(canary, now))]
    found = None if canary.is_ended else slo_table(canary.judge, plain=plain)
    if found is not None:
        blocks.append(found)
    row = buttons(canary)
    if row:
        blocks.append(kit.actions(*row))
    sentence = notification(canary, now)
    small = kit.small_code(canary.id)
    same = json.dumps([sentence, blocks, small], sort_keys=True)
    often = f" · every {every}" if every and not canary.is_ended else ""
    blocks.append(kit.context(f"{small} · updated {kit.updated(now)}{often}"))
    return Message(sentence, kit.stamped(blocks, now), same)


def subject(canary: Canary) -> str:
    """Service and revision, short enough for a phone."""
    return f"{name(canary.service, SHORT)} {name(canary.revision, SHORT)}"


def headline(canary: Canary) -> str:
    """The state first, then what it is about."""
    what, weight = subject(canary), canary.target
    match canary.phase:
        case PendingApproval():
            return f"✋ May {what} start?"
        case Preparing():
            return f"⏳ Getting {what} ready"
        case Shifting():
            return f"🔀 Moving {weight} to {what}"
        case Observing(extended=True):
            return f"👀 {what} at {weight}, window extended"
        case Observing():
            return f"👀 {what} at {weight}"
        case Paused():
            return f"⏸️ {what} paused at {weight}"
        case AwaitingDecision(question="promote"):
            return f"✋ Promote {what}?"
        case AwaitingDecision(question="thin"):
            return f"✋ {what}: too little traffic to judge"
        case AwaitingDecision(question="orphan"):
            return f"✋ {what} at {weight}: whose is it?"
        case AwaitingDecision():
            return f"✋ {what}: cannot be judged"
        case Promoting():
            return f"🚀 Promoting {what} to {FULL}"
        case Promoted():
            return f"✅ {what} promoted"
        case RollingBack(overdue=True):
            return f"🚨 {what}: rollback NOT confirmed"
        case RollingBack(cause=Cause(kind="undo")):
            return f"⏪ Undoing {what}"
        case RollingBack():
            return f"⏪ Rolling back {what}"
        case RolledBack(cause=Cause(kind="undo")):
            return f"↩️ {what} undone"
        case RolledBack(cause=cause):
            return f"↩️ {what} rolled back: {ended.in_a_word(cause)}"
        case Rejected():
            return f"🚫 {what} did not start"


def notification(canary: Canary, now: datetime) -> str:
    """One full sentence: state, service, revision, weight and what it waits for; escaped."""
    said = " ".join(story.sentence(canary, now).split())
    first = headline(canary)
    return escaped(f"{first}{'' if first.endswith('?') else '.'} {said}", kit.TEXT_LENGTH)


def buttons(canary: Canary) -> list[Block]:
    """The buttons that can do something in this phase, the harmless ones first."""
    match canary.phase:
        case PendingApproval():
            return [_approve(canary, "start"), _abort(canary)]
        case AwaitingDecision(question="orphan", step=step):
            return [_approve(canary, "orphan", step), _abort(canary)]
        case AwaitingDecision(question=question, step=step):
            return [_approve(canary, question, step), _extend(canary), _abort(canary)]
        case Observing(step=step):
            early = [_promote(canary, step)] if may_end_early(canary) else []
            return [*early, _pause(canary), _extend(canary), _abort(canary)]
        case Paused():
            return [_resume(canary), _abort(canary)]
        case Preparing() | Shifting() | Promoting():
            return [_abort(canary)]
        case Promoted():
            return [_undo(canary), _why(canary)] if canary.arms is not None else []
        case RolledBack(cause=Cause(kind="breach")):
            return [_why(canary), _mark(canary)]
        case RolledBack():
            return [_why(canary)]
        case RollingBack() | Rejected():
            return []


def may_end_early(canary: Canary) -> bool:
    """Whether the numbers say already what the window waits for."""
    return not why_not_early(canary)


def _approve(canary: Canary, question: Question, step: int | None = None) -> Block:
    what = subject(canary)
    first = canary.plan.steps[0].weight
    label, asked = {
        "start": ("Approve start", f"{first} of live traffic goes to it, and it is judged."),
        "promote": ("Promote", f"{story.healthy_now(canary)} {_next(canary)}"),
        "thin": ("Promote anyway", f"There is too little traffic to judge it. {_next(canary)}"),
        "orphan": ("Promote it", f"No record says who started it. {_next(canary)}"),
        "blind": ("Promote anyway", f"It cannot be judged now. {_next(canary)}"),
    }[question]
    title = f"{'Start' if question == 'start' else 'Promote'} {what}?"
    asked = f"{asked}{_one_way(canary)}"
    return kit.button(
        label,
        Action.APPROVE,
        Pressed(canary.id, question, step).dump(),
        spoken=f"{label}: {what}",
        style="primary",
        confirm=kit.confirm(title, asked, label),
    )


def _one_way(canary: Canary) -> str:
    """What must be known before more traffic goes to it, or all goes back."""
    found = canary.plan.assessment
    if found is None or found.rollback_is_safe:
        return ""
    return " Its migrations are not additive: stable may fail on the new schema."


def _next(canary: Canary) -> str:
    """What an approval would do to the traffic."""
    phase = canary.phase
    step = phase.step + 1 if isinstance(phase, AwaitingDecision | Observing) else 0
    steps = canary.plan.steps
    weight = steps[step].weight if step < len(steps) else FULL
    return f"Its traffic goes from {canary.target} to {weight}."


def _abort(canary: Canary) -> Block:
    what = subject(canary)
    if canary.arms is None:
        asked = f"{what} carries no traffic (0 %). It will not start."
    else:
        asked = f"{what} carries {canary.target}. All traffic goes back to stable at once."
        asked += _one_way(canary)
    return kit.button(
        "Abort",
        Action.ABORT,
        Pressed(canary.id).dump(),
        spoken=f"Abort {what}",
        style="danger",
        confirm=kit.confirm(f"Abort {what}?", asked, "Abort", "danger"),
    )


def _promote(canary: Canary, step: int) -> Block:
    what, value = subject(canary), Pressed(canary.id, step=step).dump()
    asked = f"All SLOs are healthy, and the window is not over yet. {_next(canary)}"
    asked += _one_way(canary)
    return kit.button(
        "Go on now",
        Action.PROMOTE,
        value,
        spoken=f"Go on now with {what}",
        confirm=kit.confirm(f"End the window of {what} early?", asked, "Go on now"),
    )


def _extend(canary: Canary) -> Block:
    value, more = Pressed(canary.id).dump(), duration(EXTENSION)
    return kit.button(
        f"+{more}", Action.EXTEND, value, spoken=f"Watch {subject(canary)} {more} longer"
    )


def _undo(canary: Canary) -> Block:
    before = canary.stable_revision
    back = f"{before}, which was stable before" if before else "what was stable before"
    asked = (
        f"All traffic of {name(canary.service, SHORT)} goes back to {name(back, 100)}, if that "
        f"still runs. Nothing is done to any data.{_one_way(canary)}"
    )
    return kit.button(
        "Undo",
        Action.UNDO,
        Pressed(canary.id).dump(),
        spoken=f"Undo the promotion of {subject(canary)}",
        style="danger",
        confirm=kit.confirm(f"Undo {subject(canary)}?", asked, "Undo", "danger"),
    )


def _why(canary: Canary) -> Block:
    value = Pressed(canary.id).dump()
    return kit.button("Why?", Action.WHY, value, spoken=f"Why {subject(canary)} ended so")


def _mark(canary: Canary) -> Block:
    """For the record: how often the numbers were wrong is only known where people say so."""
    what, value = subject(canary), Pressed(canary.id).dump()
    if canary.mark is not None and canary.mark.false:
        return kit.button("It was real", Action.REAL, value, spoken=f"{what} was really broken")
    asked = f"{what} was healthy, and the rollback was a mistake. It is put on record and counted."
    return kit.button(
        "False alarm",
        Action.FALSE_ALARM,
        value,
        spoken=f"The rollback of {what} was a false alarm",
        confirm=kit.confirm("A false alarm?", asked, "False alarm"),
    )


def _pause(canary: Canary) -> Block:
    value = Pressed(canary.id).dump()
    return kit.button("Pause", Action.PAUSE, value, spoken=f"Pause {subject(canary)}")


def _resume(canary: Canary) -> Block:
    value = Pressed(canary.id).dump()
    return kit.button("Resume", Action.RESUME, value, spoken=f"Resume {subject(canary)}")
