"""What is to be done: values that the engine's runner turns into calls of ports.

All but `Observe` are saved as intents before they are done, and doing one twice is harmless.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.core.plan import Actor, Weight
from bot.core.slo import Arms
from bot.core.verdict import Finding


class Topic(StrEnum):
    """What a thread message is about."""

    BREACH = "breach"
    ROLLED_BACK = "rolled_back"
    PROMOTED = "promoted"
    REJECTED = "rejected"
    DECISION_NEEDED = "decision_needed"
    DECIDED = "decided"
    EXTENDED = "extended"
    FLIP_OVERDUE = "flip_overdue"
    ONCALL = "oncall"
    DRIFT = "drift"
    STARTED = "started"
    STEP = "step"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Note:
    """One message for the thread, numbered within its canary so that it is told once.

    Attributes:
        detail: one plain sentence.
        findings: the indicators it is about.
        lines: log lines as evidence, redacted.
        by: whose decision it reports.
        step: which of the plan's steps was reached.

    """

    number: int
    topic: Topic
    at: datetime
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    lines: tuple[str, ...] = ()
    by: Actor | None = None
    step: int | None = None


class Milestone(StrEnum):
    """What has just become true of a canary, for those who are told of it from outside."""

    STARTED = "started"
    WAITING = "waiting"
    OBSERVING = "observing"
    PAUSED = "paused"
    PROMOTING = "promoting"
    ROLLING_BACK = "rolling_back"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Prepare:
    """Read the router's split and the readiness of every backend."""

    service: str
    kind: Literal["prepare"] = "prepare"


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Give the canary arm this weight and read it back."""

    arms: Arms[str]
    weight: Weight
    kind: Literal["set_weight"] = "set_weight"


@dataclass(frozen=True, slots=True)
class Observe:
    """Read both arms' counters, the logs since the last look, readiness and the split."""

    arms: Arms[str]
    since: datetime
    kind: Literal["observe"] = "observe"


@dataclass(frozen=True, slots=True)
class GatherEvidence:
    """Fetch the canary's log lines that explain a breach."""

    arms: Arms[str]
    since: datetime
    until: datetime
    kind: Literal["gather_evidence"] = "gather_evidence"


@dataclass(frozen=True, slots=True)
class OpenThread:
    """Post the canary's one channel message."""

    channel: str
    kind: Literal["open_thread"] = "open_thread"


@dataclass(frozen=True, slots=True)
class Tell:
    """Post a note into the canary's thread."""

    note: Note
    kind: Literal["tell"] = "tell"


@dataclass(frozen=True, slots=True)
class Page:
    """Call the webhook: the rollback is still not confirmed."""

    since: datetime
    trouble: str
    kind: Literal["page"] = "page"


@dataclass(frozen=True, slots=True)
class ShowEnd:
    """See to it that the channel message shows how it ended: nobody else will edit it again."""

    kind: Literal["show_end"] = "show_end"


@dataclass(frozen=True, slots=True)
class ShowPicture:
    """Put a picture of the whole window into the thread."""

    kind: Literal["show_picture"] = "show_picture"


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell one subscriber of a milestone; each is told in order, and none waits for another.

    Attributes:
        number: of the milestone within its canary, so that it is told once.
        detail: one plain sentence.

    """

    subscriber: str
    number: int
    milestone: Milestone
    at: datetime
    detail: str = ""
    kind: Literal["publish"] = "publish"


Outward = GatherEvidence | OpenThread | Tell | ShowEnd | ShowPicture
"""Only tells people, or fetches what they are told: in order, and never in anybody's way."""

Intent = Prepare | SetWeight | Page | Publish | Outward
Effect = Intent | Observe
