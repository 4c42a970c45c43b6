"""What happened; late ones are ignored, never refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.core.judge import JudgeState
from bot.core.plan import Split, Weight
from bot.core.reading import Reading
from bot.core.slo import Arms, LogCounts, NoData, Readiness


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed; the machine looks at what is due."""

    at: datetime
    kind: Literal["ticked"] = "ticked"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The router's split and each backend's readiness, or why they could not be read.

    A backend without a readiness probe is missing from `readiness`.

    Attributes:
        memory: what stable's past has taught the judge, once the canary can begin; `past` says
            how much of it there was, or why there was none.

    """

    at: datetime
    split: Split | NoData
    readiness: dict[str, Readiness | NoData]
    memory: JudgeState | None = None
    past: str = ""
    kind: Literal["prepared"] = "prepared"


@dataclass(frozen=True, slots=True)
class WeightApplied:
    """The router, read back, carries this weight on the canary arm."""

    at: datetime
    weight: Weight
    kind: Literal["weight_applied"] = "weight_applied"


@dataclass(frozen=True, slots=True)
class ShiftFailed:
    """The router did not take this weight, or read back something else."""

    at: datetime
    weight: Weight
    reason: str
    kind: Literal["shift_failed"] = "shift_failed"


@dataclass(frozen=True, slots=True)
class Observed:
    """One look at both arms: everything that was read, or why it could not be."""

    at: datetime
    since: datetime
    metrics: Reading | NoData
    logs: Arms[LogCounts] | NoData
    readiness: Arms[Readiness] | NoData
    split: Split | NoData
    kind: Literal["observed"] = "observed"


@dataclass(frozen=True, slots=True)
class EvidenceGathered:
    """Log lines that explain a breach, redacted; empty when none could be read."""

    at: datetime
    lines: tuple[str, ...]
    kind: Literal["evidence_gathered"] = "evidence_gathered"


@dataclass(frozen=True, slots=True)
class ThreadOpened:
    """The channel message stands."""

    at: datetime
    channel: str
    ts: str
    kind: Literal["thread_opened"] = "thread_opened"


@dataclass(frozen=True, slots=True)
class Told:
    """A note was posted."""

    at: datetime
    number: int
    kind: Literal["told"] = "told"


@dataclass(frozen=True, slots=True)
class Paged:
    """The webhook has taken the alarm, or there is none."""

    at: datetime
    kind: Literal["paged"] = "paged"


@dataclass(frozen=True, slots=True)
class EndShown:
    """The channel message shows how it ended."""

    at: datetime
    kind: Literal["end_shown"] = "end_shown"


@dataclass(frozen=True, slots=True)
class PictureShown:
    """The picture stands in the thread, or there is none to be had."""

    at: datetime
    kind: Literal["picture_shown"] = "picture_shown"


@dataclass(frozen=True, slots=True)
class Published:
    """A subscriber has been told of a milestone, or never will be."""

    at: datetime
    subscriber: str
    number: int
    kind: Literal["published"] = "published"


Event = (
    Ticked
    | Prepared
    | WeightApplied
    | ShiftFailed
    | Observed
    | EvidenceGathered
    | ThreadOpened
    | Told
    | Paged
    | EndShown
    | PictureShown
    | Published
)
