"""The shapes in which canaries are told, field by field."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Standing = Literal["running", "waiting", "promoted", "rolled_back", "rejected"]


class ActorBody(BaseModel):
    """Who: a Slack user, or `token:NAME`; `via` is the token that spoke for a person."""

    id: str
    name: str
    via: str


class WindowBody(BaseModel):
    """The observation window of the step it is at."""

    since: datetime
    until: datetime


class SloBody(BaseModel):
    """One indicator, canary beside stable, in `unit`."""

    name: str
    health: Literal["healthy", "thin", "blind", "breached"]
    unit: str
    canary: float | None
    stable: float | None
    ratio: float | None
    low: float | None = Field(description="Bounds of the ratio, 95 %.")
    high: float | None
    limit: str
    reason: str
    confidence: str | None = Field(description="How sure a breach is, in words.")


class WaitingBody(BaseModel):
    """What it waits for."""

    question: str
    text: str
    approvers: list[str]
    needed: int
    approved_by: list[ActorBody]
    expires_at: datetime


class ReasonBody(BaseModel):
    """Why a change belongs into a tier."""

    tier: str
    text: str
    rule: str


class StatementBody(BaseModel):
    """One statement of a migration, and what it means for stable."""

    path: str
    line: int
    text: str
    impact: str
    why: str
    way_out: str


class CauseBody(BaseModel):
    """Why it did not come through."""

    kind: Literal["breach", "abort", "no_decision", "failure", "undo", "rejected"]
    text: str
    findings: list[SloBody]
    by: ActorBody | None


class EntryBody(BaseModel):
    """One line of the timeline."""

    at: datetime
    text: str
    by: ActorBody | None


class State(BaseModel):
    """A canary as it is now.

    `version` changes with anything else in here but `links.message`, and with nothing but that.
    """

    id: str
    version: str
    service: str
    revision: str
    stable_revision: str | None
    phase: str
    state: Standing
    summary: str
    weight: float = Field(description="Percent of the traffic it should carry.")
    step: int | None = Field(description="Counts from 1.")
    steps: int
    window: WindowBody | None
    tier: str
    reasons: list[str]
    assessed: list[ReasonBody]
    rollback_safe: bool | None = Field(description="null where nobody has looked at the change.")
    statements: list[StatementBody]
    slos: list[SloBody]
    waiting_for: WaitingBody | None
    cause: CauseBody | None
    started_by: ActorBody
    reason: str
    created_at: datetime
    ended_at: datetime | None
    timeline: list[EntryBody]
    links: dict[str, str] = Field(
        description="`self`, `events`; `change` and `message` (in Slack) where they are known."
    )
