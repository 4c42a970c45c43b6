"""What one seed stands for: a plan, a world, the troubles in it, and what people click."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from world import QUICK

from bot.core.commands import Question
from bot.core.plan import Actor, Gate, Plan, Step, Weight
from bot.core.slo import Objectives, Sli

TICK: Final = timedelta(seconds=1)
BOSS: Final = Actor("U0BOSS", "boss")
DEPUTY: Final = Actor("U0DEPUTY", "deputy")
STRANGER: Final = Actor("U0STRANGER", "stranger")

What = Literal[
    "start", "approve", "abort", "pause", "resume", "promote", "extend", "undo", "freeze",
    "unfreeze",
]  # fmt: skip
Story = Literal["healthy", "breach", "no_traffic", "blind"]
Kind = Literal[
    "store_error", "store_lost", "store_away", "store_slow", "store_flush",
    "router_error", "router_lies", "router_slow", "router_late", "router_restart",
    "hand_up", "hand_down",
    "metrics_none", "metrics_error", "metrics_frozen", "metrics_slow", "metrics_reset",
    "logs_down", "not_ready", "slack_away", "slack_lost", "slack_slow",
    "crash", "crash_at_call", "pause", "pause_at_call", "clock_jump", "restart",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = Kind.__args__  # type: ignore[attr-defined] # a Literal has them

RARE: Final = {"store_flush": 0.15, "router_late": 0.5, "not_ready": 0.4, "metrics_reset": 0.5}
LASTS: Final = ("store", "router", "metrics", "logs", "slack", "not_ready")
TAKES: Final = ("crash", "pause", "restart", "router_late")
BLINDING: Final = {
    "metrics_none", "metrics_error", "metrics_frozen", "metrics_slow", "metrics_reset",
    "clock_jump", "store_error", "store_lost", "store_away", "store_slow", "store_flush",
    "crash", "crash_at_call", "pause", "pause_at_call", "restart", "hand_up", "hand_down",
    "router_restart", "router_lies", "router_error", "router_slow", "router_late",
    "not_ready", "logs_down",
}  # fmt: skip
"""After one of these a window may end without evidence, or with the router not as asked."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong.

    Attributes:
        start, end: virtual seconds; the same for what happens in a moment.
        replica: the one it hits; None for all.
        rate: chance that a call is hit.
        size: seconds that something takes, a jump of a clock, or a weight per mille.
        after: whether a call is done before its process stops.
        port: the port whose call it waits for.

    """

    kind: Kind
    start: float
    end: float
    replica: int | None = None
    rate: float = 1.0
    size: float = 0.0
    after: bool = False
    port: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """What a person does at a moment, on a replica."""

    at: float
    what: What
    by: Actor
    replica: int
    question: Question | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that a seed decides beforehand.

    Attributes:
        breach_after: seconds from the canary's first traffic to its errors.
        answers: seconds after which somebody who may approves what is asked; None for never.
        answer: what they press.
        echo: how often they press.
        again: whether the service is asked for another canary at the end.

    """

    seed: int
    replicas: int
    plan: Plan
    stable: str
    story: Story
    breach_after: float
    troubles: tuple[Trouble, ...]
    clicks: tuple[Click, ...]
    answers: float | None
    answer: Literal["approve", "abort"]
    echo: int
    again: bool

    @property
    def kinds(self) -> set[str]:
        """The kinds of trouble in it."""
        return {trouble.kind for trouble in self.troubles}

    @property
    def calm_at(self) -> float:
        """When the last trouble is over."""
        times = [trouble.end for trouble in self.troubles] + [click.at for click in self.clicks]
        return max(times) + 1.0


def scenario(seed: int) -> Scenario:
    """The scenario of a seed."""
    rng = random.Random(seed)
    replicas = rng.choices((1, 2, 3), (15, 75, 10))[0]
    busy = rng.random() < 0.8
    amount = rng.choices((1, 2, 3, 5), (30, 35, 20, 15))[0] if busy else 0
    troubles = tuple(_trouble(rng, replicas) for _ in range(amount))
    return Scenario(
        seed=seed,
        replicas=replicas,
        plan=_plan(rng),
        stable=rng.choice(("blue", "green")),
        story=rng.choices(("healthy", "breach", "no_traffic", "blind"), (48, 40, 6, 6))[0],
        breach_after=rng.choice((0.0, rng.uniform(0, 6), rng.uniform(3, 15))),
        troubles=troubles,
        clicks=_clicks(rng, replicas),
        answers=rng.choice((None, 0.5, rng.uniform(1, 8))),
        answer="abort" if rng.random() < 0.1 else "approve",
        echo=rng.choice((1, 1, 2, 3)),
        again=rng.random() < 0.15,
    )


def _plan(rng: random.Random) -> Plan:
    weights = sorted(rng.sample((1, 5, 10, 20, 50), rng.choices((1, 2, 3), (55, 30, 15))[0]))
    wait = timedelta(seconds=rng.uniform(6, 16))
    needed = 2 if rng.random() < 0.2 else 1
    gate = Gate((BOSS.id, DEPUTY.id), wait, needed, author=rng.random() < 0.9)
    return Plan(
        tier="simulated",
        steps=tuple(Step(Weight.percent(w), TICK * rng.randint(3, 6)) for w in weights),
        tick=TICK,
        objectives=Objectives(
            watched=(Sli.ERRORS, Sli.READINESS, Sli.LOGS),
            min_requests=20,
            warm_up=timedelta(0),
            tuning=QUICK,
        ),
        decision=gate,
        start_gate=gate if rng.random() < 0.15 else None,
        promote_gate=gate if rng.random() < 0.2 else None,
        extension=TICK * rng.randint(1, 5),
        prepare_timeout=timedelta(seconds=15),
        pause=timedelta(seconds=rng.uniform(2, 20)),
    )


def _trouble(rng: random.Random, replicas: int) -> Trouble:
    kind = rng.choices(KINDS, [RARE.get(kind, 1.0) for kind in KINDS])[0]
    start = rng.choice((rng.uniform(0, 4), rng.uniform(2, 12), rng.uniform(2, 20)))
    lasts = rng.choice((rng.uniform(0.5, 4), rng.uniform(2, 12)))
    lasting = kind.startswith(LASTS) and kind not in {
        "store_flush", "router_restart", "metrics_reset",
    }  # fmt: skip
    size = {
        "hand_up": float(rng.randrange(100, 900)),
        "hand_down": float(rng.randrange(0, 40)),
        "clock_jump": rng.choice((-1, 1)) * rng.choice((rng.uniform(1, 10), 60, 600, 3600)),
        "crash": rng.uniform(0.5, 10),
        "crash_at_call": rng.uniform(0.5, 10),
        "restart": rng.uniform(0.5, 5),
        "router_late": rng.uniform(0.5, 15),
    }.get(kind, rng.choice((rng.uniform(0.3, 3), rng.uniform(2, 15))))
    if kind.startswith("pause"):
        size = rng.choice((rng.uniform(0.5, 4), rng.uniform(4, 15)))
    return Trouble(
        kind,
        start,
        start + (lasts if lasting else size if kind.startswith(TAKES) else 0.0),
        replica=None if rng.random() < 0.5 and lasting else rng.randrange(replicas),
        rate=rng.choice((0.2, 0.6, 1.0)) if lasting else 1.0,
        size=size,
        after=rng.random() < 0.5,
        port=rng.choice(("router.shift", "router", "store.save", "store", "board", "metrics", "")),
    )


PRESSED: Final[tuple[tuple[What, ...], tuple[int, ...]]] = (
    ("approve", "abort", "pause", "resume", "promote", "extend", "undo", "freeze"),
    (6, 3, 3, 3, 4, 2, 4, 1),
)
"""What people press without being asked, and how often."""


def _clicks(rng: random.Random, replicas: int) -> tuple[Click, ...]:
    def on() -> int:
        return rng.randrange(replicas)

    clicks = [Click(1.0, "start", BOSS, on())]
    if rng.random() < 0.15:
        clicks.append(Click(1.0, "start", STRANGER, on()))
    if rng.random() < 0.1:
        clicks.append(Click(rng.uniform(1, 15), "start", STRANGER, on()))
    for _ in range(rng.choice((0, 0, 0, 1, 2, 4))):
        what = rng.choices(*PRESSED)[0]
        click = Click(
            rng.uniform(1.01, 18 if what in {"approve", "abort", "pause"} else 26),
            what,
            rng.choice((BOSS, BOSS, DEPUTY, STRANGER)),
            on(),
            rng.choice((None, "start", "promote", "thin", "blind")),
            rng.choice((None, 0, 1)),
        )
        clicks += [click] * rng.choice((1, 1, 2))
        if what == "freeze":
            clicks.append(Click(click.at + rng.uniform(0.5, 10), "unfreeze", BOSS, on()))
        if what == "pause" and rng.random() < 0.6:
            at = click.at + rng.uniform(0.5, 5)
            clicks.append(Click(at, "resume", BOSS, on()))
    return tuple(sorted(clicks, key=lambda click: click.at))
