"""From what somebody wants to a canary: its change looked at, its plan made, its leave asked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from bot.core.assessment import Assessment
from bot.core.canary import Canary
from bot.core.change import Change
from bot.core.commands import Start
from bot.core.freezes import Override
from bot.core.machine import Refused
from bot.core.plan import Actor, Gate, Plan
from bot.core.refusals import may_not_override
from bot.ports import Clock

EVERYTHING: Final = "everything that holds it up"
"""What is overridden, until the freeze is known that stood in the way."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants started.

    Attributes:
        by: with the groups that matter for the service's keepers.
        tier, percent, window: as written; None for what the configuration and the change say.
        override: why it should start although its service is frozen; empty where it should not.
        change: what a pipeline says about the change.

    """

    service: str
    revision: str
    by: Actor
    tier: str | None = None
    percent: str | None = None
    window: str | None = None
    reason: str = ""
    override: str = ""
    change: Change | None = None


class Starter(Protocol):
    """Begins canaries."""

    async def start(self, start: Start) -> Canary | Refused:
        """Begin a canary, unless its service has one or is frozen."""
        ...


class Planner(Protocol):
    """What is configured."""

    def channel_of(self, service: str) -> str:
        """The id of the channel where the service's canaries are announced."""
        ...

    def plan_for(
        self,
        service: str,
        *,
        tier: str | None,
        percent: str | None,
        window: str | None,
        assessment: Assessment | None,
    ) -> Plan:
        """The plan of a canary; raises ValueError with a plain sentence."""
        ...

    def keepers(self, service: str) -> Gate:
        """Who may lower a tier, or override a freeze: the approvers of the riskiest tier."""
        ...


class Looker(Protocol):
    """Looks at changes."""

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        """What a start of this revision would bring."""
        ...

    async def stable(self, service: str) -> str | None:
        """The revision that a canary would be compared with."""
        ...


class Launcher:
    """Starts canaries for whoever asks: Slack, a pipeline, a form."""

    def __init__(
        self,
        *,
        starter: Starter,
        planner: Planner,
        assessor: Looker,
        clock: Clock,
        new_canary_id: Callable[[str], str],
    ) -> None:
        self._starter = starter
        self._planner = planner
        self._assessor = assessor
        self._clock = clock
        self._new_canary_id = new_canary_id

    def naming(self, canary_id: str) -> "Launcher":
        """The same, whose next canary has this id: whoever asks twice must not get two."""
        return Launcher(
            starter=self._starter,
            planner=self._planner,
            assessor=self._assessor,
            clock=self._clock,
            new_canary_id=lambda _service: canary_id,
        )

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        """What a start of this revision would bring.

        Raises:
            PortError: the store cannot be reached.

        """
        return await self._assessor.assess(service, revision, sent)

    async def stable(self, service: str) -> str | None:
        """The revision that a canary would be compared with; None where nobody can tell.

        Raises:
            PortError: the store cannot be reached.

        """
        return await self._assessor.stable(service)

    async def launch(self, wish: Wish) -> Canary | Refused:
        """Start it.

        Raises:
            ValueError: one plain sentence: what is asked for makes no plan. Nothing was started.
            PortError: the store cannot be reached; nothing was started.

        """
        service = wish.service
        asked = {"tier": wish.tier, "percent": wish.percent, "window": wish.window}
        # What can be known to be wrong at once is said before anybody is asked for anything.
        self._planner.plan_for(service, **asked, assessment=None)
        keepers = self._planner.keepers(service)
        override = None
        if wish.override:
            if not keepers.admits(wish.by):
                return Refused(may_not_override(service, keepers))
            override = Override(wish.by, wish.override, EVERYTHING)
        found = await self._assessor.assess(service, wish.revision, wish.change)
        plan = self._planner.plan_for(service, **asked, assessment=found)
        start = Start(
            canary_id=self._new_canary_id(service),
            service=service,
            revision=wish.revision,
            plan=with_leave(plan, keepers, wish.by),
            channel=self._planner.channel_of(service),
            by=wish.by,
            at=self._clock.now(),
            reason=wish.reason,
            override=override,
        )
        return await self._starter.start(start)


def with_leave(plan: Plan, keepers: Gate, by: Actor | None) -> Plan:
    """A lowered tier takes an approver: the starter, or whoever lets it start.

    Where whoever starts it does not count as an approver of their own change, they do not for
    making it out to be a safe one either.
    """
    if not plan.lowered_from:
        return plan
    alone = by is not None and keepers.author and keepers.needed == 1 and keepers.admits(by)
    if alone:
        return plan
    gate = plan.start_gate
    if gate is not None and gate.needed > keepers.needed:
        # Those who may lower it decide, and as many of them as the lower tier wants anyway.
        keepers = replace(keepers, needed=gate.needed)
    return replace(plan, start_gate=keepers)
