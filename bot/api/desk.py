"""What the API needs of the rest of the bot, and what its routes share."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Path, Request
from fastapi.security import HTTPBearer

from bot.api.doorkeeper import Caller
from bot.api.problems import Problem
from bot.api.shapes import State
from bot.api.states import state_of
from bot.config.api import ApiSettings
from bot.config.units import unknown
from bot.core.assessment import Assessment
from bot.core.canary import Canary
from bot.core.change import Change
from bot.core.commands import Command
from bot.core.freezes import Freeze
from bot.core.moves import Refused
from bot.core.plan import Actor
from bot.engine.launching import Wish
from bot.ports import Clock
from bot.ports.access import Once


class Desk(Protocol):
    """Takes commands for canaries and finds them; all methods raise `PortError`."""

    async def command(self, canary_id: str, command: Command) -> Canary | Refused:
        """Take a command; a refusal changes nothing and says why."""
        ...

    async def find(self, canary_id: str) -> Canary | None:
        """The canary of that id, or None."""
        ...

    async def live(self, service: str) -> Canary | None:
        """The service's live canary, or None."""
        ...

    async def all_live(self) -> tuple[Canary, ...]:
        """Every live canary, the newest first."""
        ...

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """The last canaries, the newest first."""
        ...

    async def freeze(self, freeze: Freeze) -> None:
        """Let nothing of its scope be started."""
        ...

    async def unfreeze(
        self, scope: str, by: Actor, since: datetime | None = None
    ) -> Freeze | None:
        """Lift a freeze; None where there was none."""
        ...

    async def freezes(self) -> tuple[Freeze, ...]:
        """What is frozen now."""
        ...


class Launching(Protocol):
    """Starts canaries, see `bot.engine.launching.Launcher`."""

    async def launch(self, wish: Wish) -> Canary | Refused:
        """Start it; ValueError and PortError start nothing."""
        ...

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        """What a start would bring."""
        ...

    async def stable(self, service: str) -> str | None:
        """The revision that a canary would be compared with; None where nobody can tell."""
        ...


class Catalog(Protocol):
    """What is configured."""

    def service_names(self) -> tuple[str, ...]:
        """Every service."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes have in common.

    Attributes:
        launcher_for: a launcher whose next canary has this id.
        new_canary_id: one that nobody has yet, for a service.
        looks: at canaries that are waited for, with when they began.
        seats: how many streams and waits each token has under way at this replica.
        message_url: where a canary's message is; empty where there is none yet.
        leaving: set when this replica leaves; whoever waits is let go.

    """

    desk: Desk
    launcher_for: Callable[[str], Launching]
    new_canary_id: Callable[[str], str]
    catalog: Catalog
    once: Once
    clock: Clock
    settings: ApiSettings
    message_url: Callable[[Canary], str] = lambda _canary: ""
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    seats: Counter[tuple[str, str]] = field(default_factory=Counter)
    looks: dict[str, tuple[float, asyncio.Future[Canary | None]]] = field(default_factory=dict)

    def visible(self, caller: Caller) -> tuple[str, ...]:
        """The services the caller may know of."""
        return tuple(name for name in self.catalog.service_names() if caller.token.sees(name))

    def service(self, caller: Caller, name: str) -> str:
        """A service the caller may know of; one it may not is none."""
        known = self.visible(caller)
        if name in known:
            return name
        raise Problem(
            404,
            "unknown-service",
            f"{unknown('service', name, known)} (Of those that the token {caller.name} is for.)",
            "Correct the name, or use a token that is for this service.",
        )

    async def canary(self, caller: Caller, canary_id: str) -> Canary:
        """A canary the caller may know of."""
        found = await self.desk.find(canary_id)
        if found is not None and caller.token.sees(found.service):
            return found
        raise Problem(
            404,
            "unknown-canary",
            f"There is no canary {canary_id} that the token {caller.name} may see.",
            "GET /v1/canaries lists those that it may.",
        )

    def told(self, canary: Canary) -> State:
        """As a pipeline is told."""
        return state_of(canary, self.clock.now(), self.message_url(canary))


_bearer = HTTPBearer(auto_error=False, description="`canary token create NAME` makes one.")


def _caller(request: Request, _sent: Annotated[object, Depends(_bearer)]) -> Caller:
    found: Caller = request.state.caller
    return found


def _parts(request: Request) -> Parts:
    found: Parts = request.app.state.parts
    return found


Called = Annotated[Caller, Depends(_caller)]
With = Annotated[Parts, Depends(_parts)]
CanaryId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$", examples=["shop-k3x9ab"])]
