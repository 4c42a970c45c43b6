"""What a canary will go through: tiers, steps, gates and the weights of its steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from bot.core.assessment import Assessment
from bot.core.slo import Objectives

ANYONE: Final = "anyone"
"""In a gate's approvers: whoever can see the button may press it. Machines are not meant."""

MACHINE: Final = "token:"
"""How the ids of machines begin: `token:` and the name of what they authenticate with."""


@dataclass(frozen=True, slots=True, order=True)
class Weight:
    """A share of live traffic, in tenths of a percent.

    A type of its own, because a router that takes 50 for 5 % sends half the users to the canary.
    """

    permille: int

    def __post_init__(self) -> None:
        if not 0 <= self.permille <= 1000:
            raise ValueError(
                f"a weight lies between 0 % and 100 %, not at {self.permille / 10:g} %"
            )

    @classmethod
    def percent(cls, value: float | str) -> "Weight":
        """Make a weight of a percentage.

        Raises:
            ValueError: not a number, out of 0..100, or finer than a tenth of a percent.

        """
        try:
            permille = Decimal(str(value)) * 10
        except InvalidOperation:
            raise ValueError(
                f"{value!r} is not a percentage; write for example 5 or 0.5"
            ) from None
        if not permille.is_finite() or permille != permille.to_integral_value():
            raise ValueError(
                f"{value} % is finer than a tenth of a percent; write for example 0.5"
            )
        return cls(int(permille))

    @property
    def share(self) -> float:
        """As a fraction between 0 and 1."""
        return self.permille / 1000

    def __str__(self) -> str:
        return f"{self.permille / 10:g} %"


ZERO: Final = Weight(0)
FULL: Final = Weight(1000)

Split = dict[str, Weight]
"""Which backend carries which share of the traffic; the shares add up to 100 %."""


@dataclass(frozen=True, slots=True)
class Step:
    """One weight, held for one observation window."""

    weight: Weight
    window: timedelta

    def __post_init__(self) -> None:
        if not ZERO < self.weight < FULL:
            raise ValueError(f"a step's weight lies between 0 % and 100 %, not at {self.weight}")
        if self.window <= timedelta(0):
            raise ValueError(f"a window must be longer than {self.window}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked: a person or a machine, and the groups that were looked up for them at the click.

    Attributes:
        via: the id of the machine that speaks for this person; empty where they spoke themselves.

    """

    id: str
    name: str = ""
    groups: tuple[str, ...] = ()
    via: str = ""

    @property
    def is_machine(self) -> bool:
        """Whether no person stands behind it."""
        return self.id.startswith(MACHINE)


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes."""

    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """A decision a person has to take, and who may take it.

    Attributes:
        approvers: ids of people, groups or channels (whoever is in one), or `ANYONE`.
        timeout: how long the gate stays open; silence then means no.
        needed: how many different people have to say yes.
        author: whether whoever started the canary is one of them.

    """

    approvers: tuple[str, ...]
    timeout: timedelta
    needed: int = 1
    author: bool = True

    def __post_init__(self) -> None:
        if self.needed < 1:
            raise ValueError(f"a gate needs at least one approval, not {self.needed}")

    def admits(self, actor: Actor) -> bool:
        """Whether this actor may decide here; nobody may when no approver is named.

        A machine has to be named: “anyone” means people. One that speaks for a person has only
        said who that is, and decides nothing in their name.
        """
        if actor.via:
            return actor.via in self.approvers
        if ANYONE in self.approvers and not actor.is_machine:
            return True
        return not {actor.id, *actor.groups}.isdisjoint(self.approvers)


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is called, one after the other, while a rollback is not confirmed by the router.

    Attributes:
        after: how long a rollback may take: then the thread is told; after twice as long the
            on-call is mentioned, after three times as long the webhook is called.
        oncall: id of a Slack user or user group; empty where nobody is named.

    """

    after: timedelta = timedelta(seconds=30)
    oncall: str = ""

    def __post_init__(self) -> None:
        if self.after <= timedelta(0):
            raise ValueError("a rollback must be given some time before somebody is called")

    @property
    def due(self) -> tuple[timedelta, timedelta, timedelta]:
        """When each of the three is called, from the decision on."""
        return self.after, 2 * self.after, 3 * self.after


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Where somebody can look further.

    Attributes:
        url: may hold `{service}`, `{revision}`, `{from}` and `{to}` (milliseconds since 1970).

    """

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was settled about a canary before it began.

    Attributes:
        tier: the risk tier's name.
        reasons: why this tier, in plain words.
        steps: rising weights, each with its window; 100 % follows the last one.
        tick: time between two looks.
        objectives: what the judge holds the canary to.
        decision: who decides, and for how long they may think, when numbers alone cannot.
        start_gate: asked before any traffic moves; None starts at once.
        promote_gate: asked after the last healthy window; None promotes at once.
        extension: how much longer, in all, the window may get while evidence is thin or blind.
        prepare_timeout: how long the new revision may take to become ready.
        escalation: who is called when a rollback takes long.
        pause: how long a pause lasts when nobody says otherwise; then it goes on.
        dashboards: what a breach links to.
        assessment: what was found of the change; None where nobody has looked, as of an orphan.
        lowered_from: the tier that the change belongs into, where an approver has lowered it.
        subscribers: names of those who are told of its milestones.

    """

    tier: str
    steps: tuple[Step, ...]
    tick: timedelta
    objectives: Objectives
    decision: Gate
    reasons: tuple[str, ...] = ()
    start_gate: Gate | None = None
    promote_gate: Gate | None = None
    extension: timedelta = timedelta(minutes=20)
    prepare_timeout: timedelta = timedelta(minutes=2)
    escalation: Escalation = Escalation()
    pause: timedelta = timedelta(hours=2)
    dashboards: tuple[Dashboard, ...] = ()
    assessment: Assessment | None = None
    lowered_from: str = ""
    subscribers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a plan needs at least one step")
        weights = [step.weight for step in self.steps]
        if weights != sorted(set(weights)):
            raise ValueError("the weights of a plan's steps must rise from one to the next")
        if self.tick <= timedelta(0):
            raise ValueError("a tick must be longer than nothing")
