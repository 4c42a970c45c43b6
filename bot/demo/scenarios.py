"""What can be shown: for each scenario its story, its fault, and how it has to end."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from bot.demo.behaviour import Fault
from bot.demo.processes import DemoError

BUSY: Final = 240.0
"""Requests a second, over both revisions."""

SHORTEST_WINDOW: Final = timedelta(seconds=15)
LONGEST_WINDOW: Final = timedelta(minutes=30)

CODE: Final[Mapping[str, str]] = {
    "README.md": "# The shop\n",
    "shop/pages.py": "def front() -> str:\n    return 'Welcome.'\n",
    "shop/billing/prices.py": "def price(cents: int) -> int:\n    return cents\n",
    "migrations/0001_orders.sql": (
        "CREATE TABLE orders (id bigint PRIMARY KEY, total integer NOT NULL, note text);\n"
    ),
}
"""The shop at v1, by path."""

HARMLESS: Final[Mapping[str, str]] = {
    "shop/pages.py": "def front() -> str:\n    return 'Welcome to the shop.'\n"
}

PRICES: Final[Mapping[str, str]] = {
    **HARMLESS,
    "shop/billing/prices.py": (
        "def price(cents: int, discount: int = 0) -> int:\n    return cents - discount\n"
    ),
    "migrations/0002_discount.sql": "ALTER TABLE orders ADD COLUMN discount integer;\n",
}

DROP: Final[Mapping[str, str]] = {
    **HARMLESS,
    "migrations/0002_no_notes.sql": (
        "-- Nobody reads the notes any more.\nALTER TABLE orders DROP COLUMN note;\n"
    ),
}

Ending = Literal["promoted", "rolled back"]


@dataclass(frozen=True, slots=True)
class Sign:
    """Something said in the thread: in plain words, and as a pattern, whatever the case."""

    words: str
    pattern: str

    def is_in(self, thread: str) -> bool:
        """Whether the thread says it."""
        return re.search(self.pattern, thread, re.IGNORECASE) is not None


PROMOTED: Final = Sign("that it was promoted", "promoted")
BREACH: Final = Sign("that there was a breach", "breach")
ON_STABLE: Final = Sign("that all traffic is back on stable", "back on stable")
ASKED: Final = Sign("that a decision is needed", "decision needed")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that can happen to a new revision.

    Attributes:
        story: one sentence about the new revision.
        outcome: one sentence about what the bot will do.
        fault: what is wrong with the new revision.
        change: what v2 changes of `CODE`: the new texts by path. Its tier follows from it.
        rate: requests a second that the load generator sends; 0 for no traffic at all.
        approver: who clicks Approve when asked; None when nobody does.
        ending: how it must end.
        said: what the thread must say.
        unsaid: what it must not say.

    """

    name: str
    story: str
    outcome: str
    ending: Ending
    said: tuple[Sign, ...]
    unsaid: tuple[Sign, ...] = ()
    fault: Fault = Fault.NONE
    change: Mapping[str, str] = field(default_factory=lambda: HARMLESS)
    rate: float = BUSY
    approver: str | None = None

    @property
    def split(self) -> dict[str, int]:
        """Percent of the traffic by backend that the router must carry in the end."""
        return (
            {"blue": 0, "green": 100} if self.ending == "promoted" else {"blue": 100, "green": 0}
        )


_ALL: Final = (
    Scenario(
        "healthy",
        "v2 is as good as v1.",
        "After its window it is promoted to 100 %, and nobody had to watch.",
        ending="promoted",
        said=(PROMOTED,),
        unsaid=(BREACH, ASKED),
    ),
    Scenario(
        "errors",
        "v2 answers some of its requests with 500, from a place that never failed before.",
        "The error rate is compared with v1's in the same window, and the traffic goes back.",
        ending="rolled back",
        said=(
            BREACH,
            Sign("how many errors there were", r"(?<!log )\berrors: .*canary"),
            ON_STABLE,
        ),
        fault=Fault.ERRORS,
    ),
    Scenario(
        "latency",
        "v2 stalls one request in twelve; its median is as fast as ever.",
        "The tail gives it away: p99 breaches, and the traffic goes back.",
        ending="rolled back",
        said=(BREACH, Sign("which latency it was", "latency p9[59]"), ON_STABLE),
        fault=Fault.LATENCY,
    ),
    Scenario(
        "logs",
        "v2 answers every request with 200, but its log fills with a database error.",
        "A kind of log line that v1 does not have is evidence too, and the traffic goes back.",
        ending="rolled back",
        said=(
            BREACH,
            Sign("which SLO it was", "log errors"),
            Sign("the line from the log", r"orders\.discount"),
            ON_STABLE,
        ),
        fault=Fault.LOGS,
    ),
    Scenario(
        "readiness",
        "v2 still answers with 200, but its queue has lost its consumer.",
        "Readiness is asked component by component, and the traffic goes back.",
        ending="rolled back",
        said=(
            BREACH,
            Sign("which SLO it was", "readiness"),
            Sign("which component it was", "queue"),
            ON_STABLE,
        ),
        fault=Fault.READINESS,
    ),
    Scenario(
        "risky",
        "v2 is fine, but it changes how prices are made, and the database.",
        "That makes it risky: after its window it waits until Grace approves, then it is promoted.",
        ending="promoted",
        said=(ASKED, PROMOTED, Sign("who approved", "approved.*grace")),
        unsaid=(BREACH,),
        change=PRICES,
        approver="U0GRACE01",
    ),
    Scenario(
        "schema",
        "v2 is fine, but its migration drops a column that v1 still reads.",
        "The message says that a rollback is not safe, and how to do it instead; Grace decides.",
        ending="promoted",
        said=(
            ASKED,
            Sign("that a rollback is not safe", "a rollback is not safe"),
            Sign("which statement it is", r"0002_no_notes\.sql:2"),
            PROMOTED,
        ),
        unsaid=(BREACH,),
        change=DROP,
        approver="U0GRACE01",
    ),
    Scenario(
        "quiet",
        "Nobody uses the shop, so there is nothing to judge v2 by.",
        "The window is extended, then somebody is asked, and silence sends the traffic back.",
        ending="rolled back",
        said=(Sign("that the window was extended", "extended"), ASKED, ON_STABLE),
        unsaid=(BREACH,),
        rate=0.0,
    ),
)

SCENARIOS: Final[Mapping[str, Scenario]] = {scenario.name: scenario for scenario in _ALL}
"""By name, in the order in which they are worth seeing."""


def find_scenario(name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        DemoError: there is none; with the known ones and the likely one.

    """
    if name in SCENARIOS:
        return SCENARIOS[name]
    near = difflib.get_close_matches(name.lower(), SCENARIOS, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    raise DemoError(f"unknown scenario {name!r}; known: {', '.join(SCENARIOS)}.{guess}")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things go in the demo, all in whole seconds, made of the window.

    Attributes:
        window: how long the canary is observed; 20 minutes in real life.

    """

    window: int

    @property
    def tick(self) -> int:
        """Between two looks."""
        return 2 if self.window >= 45 else 1

    @property
    def extension(self) -> int:
        """How much longer the window gets while there is too little evidence."""
        return self.window // 2

    @property
    def decision(self) -> int:
        """How long a person may think in the safe tier."""
        return self.window // 2

    @property
    def warm_up(self) -> int:
        """From the first traffic until latency counts."""
        return max(2, self.window // 12)

    @property
    def patience(self) -> int:
        """How long a component may be down."""
        return max(3, self.window // 10)

    @property
    def onset(self) -> int:
        """From the first traffic until the fault shows."""
        return max(2, self.window // 15)


def pace_of(window: timedelta) -> Pace:
    """The pace that goes with a window.

    Raises:
        DemoError: the window is one the demo cannot work with.

    """
    if not SHORTEST_WINDOW <= window <= LONGEST_WINDOW:
        raise DemoError(
            f"the demo takes a window of {SHORTEST_WINDOW.seconds} s to "
            f"{LONGEST_WINDOW.seconds // 60} min, not {window.total_seconds():g} s: "
            "write for example --window 60s"
        )
    return Pace(round(window.total_seconds()))
