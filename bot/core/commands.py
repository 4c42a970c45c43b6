"""What people and pipelines ask of a canary; each may be refused with a reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.core.freezes import Override
from bot.core.plan import Actor, Plan, Weight
from bot.core.slo import Arms
from bot.core.verdict import Finding

Question = Literal["start", "promote", "thin", "blind", "orphan"]
"""What a person is asked: may it begin, may it go to 100 %, what to do without evidence, and who
knows of a canary that nobody remembers."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a canary of this revision.

    Attributes:
        override: by whose leave it begins although its service is frozen.

    """

    canary_id: str
    service: str
    revision: str
    plan: Plan
    channel: str
    by: Actor
    at: datetime
    reason: str = ""
    override: Override | None = None
    kind: Literal["start"] = "start"


@dataclass(frozen=True, slots=True)
class Found:
    """Answer for a split that was found at the router, and that no record explains.

    Attributes:
        revision: what the canary arm says it runs, "unknown" where it does not tell.
        weight: what it carries.
        grace: how long somebody may claim it before it is rolled back.

    """

    canary_id: str
    service: str
    revision: str
    plan: Plan
    channel: str
    by: Actor
    at: datetime
    arms: Arms[str]
    weight: Weight
    grace: timedelta
    kind: Literal["found"] = "found"


@dataclass(frozen=True, slots=True)
class Undo:
    """Send all traffic back to what was stable before a promotion.

    Attributes:
        undoes: id of the promoted canary; the rest describes it.
        ts: of its message; empty where there is none.

    """

    canary_id: str
    undoes: str
    service: str
    revision: str
    stable_revision: str | None
    plan: Plan
    channel: str
    ts: str
    by: Actor
    at: datetime
    arms: Arms[str]
    reason: str = ""
    kind: Literal["undo"] = "undo"


@dataclass(frozen=True, slots=True)
class Approve:
    """Say yes to what is being asked.

    Attributes:
        question, step: what the person saw, and at which step; None for whatever it is now.

    """

    by: Actor
    at: datetime
    question: Question | None = None
    step: int | None = None
    kind: Literal["approve"] = "approve"


@dataclass(frozen=True, slots=True)
class Abort:
    """End the canary and send all traffic back to stable.

    Attributes:
        findings: of a breach that a replica has acted upon and could not write down in time.

    """

    by: Actor
    at: datetime
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    kind: Literal["abort"] = "abort"


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold the weight; the canary is still judged.

    Attributes:
        lasting: how long; None for as long as the plan says.

    """

    by: Actor
    at: datetime
    lasting: timedelta | None = None
    kind: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on after a pause."""

    by: Actor
    at: datetime
    kind: Literal["resume"] = "resume"


@dataclass(frozen=True, slots=True)
class Promote:
    """Go on now: to the next step or 100 %, before the window is over.

    Attributes:
        step: what the person saw it at; None for whichever it is now.

    """

    by: Actor
    at: datetime
    step: int | None = None
    kind: Literal["promote"] = "promote"


@dataclass(frozen=True, slots=True)
class Extend:
    """Watch longer before anything is decided."""

    by: Actor
    at: datetime
    more: timedelta
    kind: Literal["extend"] = "extend"


@dataclass(frozen=True, slots=True)
class MarkAlarm:
    """Say of a rollback, afterwards, whether the canary was to blame.

    Attributes:
        false: whether it was a false alarm; a person who looks again may change their mind.

    """

    by: Actor
    at: datetime
    false: bool
    reason: str = ""
    kind: Literal["mark_alarm"] = "mark_alarm"


Command = Approve | Abort | Pause | Resume | Promote | Extend | MarkAlarm
