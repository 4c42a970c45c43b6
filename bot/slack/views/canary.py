"""The live message: one canary, whole, as of now."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.core.canary import (
    AwaitingDecision,
    Canary,
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
from bot.core.plan import FULL
from bot.slack.text import escaped, name
from bot.slack.views import kit, story
from bot.slack.views.kit import Block, Message
from bot.slack.views.slos import slo_table

SHORT: Final = 48


class Action(StrEnum):
    """The buttons, by the id Slack sends back."""

    APPROVE = "canary_approve"
    ABORT = "canary_abort"
    PAUSE = "canary_pause"
    RESUME = "canary_resume"


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


def live_message(canary: Canary, now: datetime, *, plain: bool = False) -> Message:
    """The channel message of this canary; `plain` avoids the newer blocks."""
    blocks = [kit.header(headline(canary)), kit.rich(*story.lines(canary, now))]
    found = slo_table(canary.judge, plain=plain)
    if found is not None:
        blocks.append(found)
    row = buttons(canary)
    if row:
        blocks.append(kit.actions(*row))
    sentence = notification(canary, now)
    small = kit.small_code(canary.id)
    same = json.dumps([sentence, blocks, small], sort_keys=True)
    blocks.append(kit.context(f"{small} · updated {kit.updated(now)}"))
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
        case RollingBack():
            return f"⏪ Rolling back {what}"
        case RolledBack(cause=cause):
            return f"↩️ {what} rolled back: {story.in_a_word(cause)}"
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
        case AwaitingDecision(question=question, step=step):
            return [_approve(canary, question, step), _abort(canary)]
        case Observing():
            return [_pause(canary), _abort(canary)]
        case Paused():
            return [_resume(canary), _abort(canary)]
        case Preparing() | Shifting() | Promoting():
            return [_abort(canary)]
        case RollingBack() | Promoted() | RolledBack() | Rejected():
            return []


def _approve(canary: Canary, question: Question, step: int | None = None) -> Block:
    what = subject(canary)
    first = canary.plan.steps[0].weight
    label, asked = {
        "start": ("Approve start", f"{first} of live traffic goes to it, and it is judged."),
        "promote": ("Promote", f"All SLOs are healthy. {_next(canary)}"),
        "thin": ("Promote anyway", f"There is too little traffic to judge it. {_next(canary)}"),
        "orphan": ("Promote it", f"No record says who started it. {_next(canary)}"),
        "blind": ("Promote anyway", f"It cannot be judged: data is missing. {_next(canary)}"),
    }[question]
    title = f"{'Start' if question == 'start' else 'Promote'} {what}?"
    return kit.button(
        label,
        Action.APPROVE,
        Pressed(canary.id, question, step).dump(),
        spoken=f"{label}: {what}",
        style="primary",
        confirm=kit.confirm(title, asked, label),
    )


def _next(canary: Canary) -> str:
    """What an approval would do to the traffic."""
    step = canary.phase.step + 1 if isinstance(canary.phase, AwaitingDecision) else 0
    steps = canary.plan.steps
    weight = steps[step].weight if step < len(steps) else FULL
    return f"Its traffic goes from {canary.target} to {weight}."


def _abort(canary: Canary) -> Block:
    what = subject(canary)
    if canary.arms is None:
        asked = f"{what} carries no traffic (0 %). It will not start."
    else:
        asked = f"{what} carries {canary.target}. All traffic goes back to stable at once."
    return kit.button(
        "Abort",
        Action.ABORT,
        Pressed(canary.id).dump(),
        spoken=f"Abort {what}",
        style="danger",
        confirm=kit.confirm(f"Abort {what}?", asked, "Abort", "danger"),
    )


def _pause(canary: Canary) -> Block:
    value = Pressed(canary.id).dump()
    return kit.button("Pause", Action.PAUSE, value, spoken=f"Pause {subject(canary)}")


def _resume(canary: Canary) -> Block:
    value = Pressed(canary.id).dump()
    return kit.button("Resume", Action.RESUME, value, spoken=f"Resume {subject(canary)}")
