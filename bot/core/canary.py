"""A canary: one rollout under judgment, and the phase it is in.

Each phase holds just the fields that are true in it, so that a canary that is both promoted and
rolled back cannot be written down.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.core.commands import Question
from bot.core.effects import Intent
from bot.core.freezes import Override
from bot.core.judge import JudgeState
from bot.core.plan import FULL, ZERO, Actor, Approval, Plan, Step, Weight
from bot.core.reading import Tally
from bot.core.shares import Share
from bot.core.slo import Arms
from bot.core.trend import Trend
from bot.core.verdict import Finding

TIMELINE_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the traffic went back: the numbers, a person, silence, or a router that would not move."""

    kind: Literal["breach", "abort", "no_decision", "failure", "undo"]
    text: str
    by: Actor | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person said afterwards of a rollback: was the canary to blame, or was it not."""

    false: bool
    by: Actor
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """No traffic has moved; a person is asked whether it may."""

    since: datetime
    expires_at: datetime
    approvals: tuple[Approval, ...] = ()
    kind: Literal["pending_approval"] = "pending_approval"


@dataclass(frozen=True, slots=True)
class Preparing:
    """The new revision is being looked for and must become ready; no traffic has moved."""

    since: datetime
    retry_at: datetime | None = None
    waiting_for: str = ""
    kind: Literal["preparing"] = "preparing"


@dataclass(frozen=True, slots=True)
class Shifting:
    """The router is being set to a step's weight."""

    step: int
    since: datetime
    attempts: int = 0
    retry_at: datetime | None = None
    kind: Literal["shifting"] = "shifting"


@dataclass(frozen=True, slots=True)
class Observing:
    """The canary holds a step's weight and is judged.

    Attributes:
        until: the end of the window, when a healthy canary goes on.
        deadline: the end of its extension, when a person is asked.

    """

    step: int
    since: datetime
    until: datetime
    deadline: datetime
    extended: bool = False
    kind: Literal["observing"] = "observing"


@dataclass(frozen=True, slots=True)
class Paused:
    """A person holds the weight; still judged, still rolled back.

    Attributes:
        remaining, extension: of the window, once it goes on.
        until: when it goes on by itself.

    """

    step: int
    by: Actor
    since: datetime
    remaining: timedelta
    extension: timedelta
    until: datetime | None = None
    kind: Literal["paused"] = "paused"


@dataclass(frozen=True, slots=True)
class AwaitingDecision:
    """The window is over and a person is asked; still judged, silence rolls back."""

    step: int
    question: Question
    since: datetime
    expires_at: datetime
    approvals: tuple[Approval, ...] = ()
    kind: Literal["awaiting_decision"] = "awaiting_decision"


@dataclass(frozen=True, slots=True)
class Promoting:
    """The router is being set to 100 %."""

    step: int
    since: datetime
    by: Actor | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    kind: Literal["promoting"] = "promoting"


@dataclass(frozen=True, slots=True)
class Promoted:
    """All traffic is on the new revision, read back."""

    at: datetime
    by: Actor | None = None
    kind: Literal["promoted"] = "promoted"


@dataclass(frozen=True, slots=True)
class RollingBack:
    """The router is being set to 0 %, for as long as it takes.

    Attributes:
        calls: how many of the escalation's calls have been made.
        trouble: what the router said last.

    """

    cause: Cause
    since: datetime
    attempts: int = 0
    retry_at: datetime | None = None
    calls: int = 0
    trouble: str = ""
    kind: Literal["rolling_back"] = "rolling_back"

    @property
    def overdue(self) -> bool:
        """Whether it has taken so long that people were told."""
        return self.calls > 0


@dataclass(frozen=True, slots=True)
class RolledBack:
    """All traffic is on the stable revision, read back `took` after the decision."""

    cause: Cause
    at: datetime
    took: timedelta
    kind: Literal["rolled_back"] = "rolled_back"


@dataclass(frozen=True, slots=True)
class Rejected:
    """It never began: no traffic has moved."""

    reason: str
    at: datetime
    by: Actor | None = None
    kind: Literal["rejected"] = "rejected"


Waiting = PendingApproval | Preparing
Exposed = Shifting | Observing | Paused | AwaitingDecision | Promoting
"""Phases in which the canary may carry traffic: judged at every tick."""
Ended = Promoted | RolledBack | Rejected
Phase = Waiting | Exposed | RollingBack | Ended


@dataclass(frozen=True, slots=True)
class Thread:
    """The canary's one channel message."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: what happened, when, by whom."""

    at: datetime
    text: str
    by: Actor | None = None


@dataclass(frozen=True, slots=True)
class Canary:
    """Everything there is to know about one rollout.

    Attributes:
        arms: the router's backends, known once prepared.
        asked: the weight the router was last told to hold, for noticing an outside hand.
        next_look_at: when the next look is due; None before traffic moves and after the end.
        last_look_at: up to when both arms have been looked at.
        intents: effects saved and not yet confirmed, in order.
        notes: how many notes have been written so far.
        drift: how the router's split differs from what was asked, while it does.
        share: how the requests have been split at this weight.
        reason: why it was started, in the words of whoever did.
        trouble_at: when something first spoke against it.
        trend: how both arms did lately.
        undoes: id of the promoted canary that this one takes back; empty for all others.
        override: by whose leave it was started in spite of a freeze.
        mark: what a person said of its rollback afterwards.
        milestones: how many moments of it others have been told of.

    """

    id: str
    service: str
    revision: str
    plan: Plan
    phase: Phase
    channel: str
    started_by: Actor
    created_at: datetime
    judge: JudgeState
    arms: Arms[str] | None = None
    stable_revision: str | None = None
    asked: Weight = ZERO
    tally: Tally | None = None
    next_look_at: datetime | None = None
    last_look_at: datetime | None = None
    thread: Thread | None = None
    intents: tuple[Intent, ...] = ()
    notes: int = 0
    drift: str = ""
    share: Share | None = None
    reason: str = ""
    trouble_at: datetime | None = None
    trend: Trend = field(default_factory=Trend)
    undoes: str = ""
    override: Override | None = None
    mark: Mark | None = None
    milestones: int = 0
    timeline: tuple[Entry, ...] = ()

    @property
    def is_ended(self) -> bool:
        """Whether nothing will move any more."""
        return isinstance(self.phase, Ended)

    @property
    def is_finished(self) -> bool:
        """Whether nothing at all is left to do, thread included."""
        return self.is_ended and not self.intents

    @property
    def step(self) -> Step | None:
        """The step whose weight the canary holds or is moving to; None outside the steps."""
        return self.plan.steps[self.phase.step] if isinstance(self.phase, Exposed) else None

    @property
    def target(self) -> Weight:
        """The weight the router should carry in this phase; what no flip may exceed."""
        match self.phase:
            case Shifting(step=step) | Observing(step=step) | Paused(step=step):
                return self.plan.steps[step].weight
            case AwaitingDecision(step=step):
                return self.plan.steps[step].weight
            case Promoting() | Promoted():
                return FULL
            case PendingApproval() | Preparing() | RollingBack() | RolledBack() | Rejected():
                return ZERO

    @property
    def wake_at(self) -> datetime | None:
        """When the next thing is due; None when nothing is."""
        due: list[datetime | None] = [
            self.next_look_at if isinstance(self.phase, Exposed) else None
        ]
        match self.phase:
            case PendingApproval(expires_at=at) | AwaitingDecision(expires_at=at):
                due.append(at)
            case Preparing(retry_at=retry):
                due.append(retry)
            case Shifting(retry_at=retry) | Promoting(retry_at=retry):
                due.append(retry)
            case RollingBack(retry_at=retry, since=since, calls=calls):
                due.append(retry)
                due += [since + wait for wait in self.plan.escalation.due[calls:][:1]]
            case Paused(until=until):
                due.append(until)
            case Observing() | Promoted() | RolledBack() | Rejected():
                pass
        return min((at for at in due if at is not None), default=None)

    def noted(self, at: datetime, text: str, by: Actor | None = None) -> "Canary":
        """The same canary with one more line on its timeline."""
        return replace(self, timeline=(*self.timeline, Entry(at, text, by))[-TIMELINE_LENGTH:])
