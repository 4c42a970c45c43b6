"""What the Slack edge needs of the rest of the bot, and the parts its listeners share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.assessment import Assessment
from bot.core.canary import Canary
from bot.core.change import Change
from bot.core.commands import (
    Abort,
    Approve,
    Command,
    Extend,
    MarkAlarm,
    Pause,
    Promote,
    Question,
    Resume,
)
from bot.core.freezes import Freeze
from bot.core.machine import Refused
from bot.core.plan import Actor, Gate, Plan
from bot.core.undoing import UndoRequest
from bot.engine.launching import Wish
from bot.ports import Clock
from bot.slack.live_message import SlackBoard
from bot.slack.permissions import Groups, Home, Visit, groups_of, groups_to_ask
from bot.slack.reply import Replies
from bot.slack.surfaces import Views


class Desk(Protocol):
    """Takes commands for canaries, and finds them.

    All methods raise `PortError` when the store cannot be reached.
    """

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
        """Every live canary."""
        ...

    async def recent(self, service: str | None, limit: int) -> tuple[Canary, ...]:
        """The last canaries, the newest first."""
        ...

    async def undo(self, request: UndoRequest) -> Canary | Refused:
        """Take a service's last promotion back, while what was stable still runs."""
        ...

    async def freeze(self, freeze: Freeze) -> None:
        """Let nothing of its scope be started; live canaries go on."""
        ...

    async def unfreeze(
        self, scope: str, by: Actor, since: datetime | None = None
    ) -> Freeze | None:
        """Lift a freeze, that of `since` or whichever; None where there was none."""
        ...

    async def freezes(self) -> tuple[Freeze, ...]:
        """What is frozen now, that of everything first."""
        ...

    async def revisions(self, service: str) -> tuple[str, ...]:
        """The revisions a canary of this service could be of now, as far as its backends tell."""
        ...


class Catalog(Protocol):
    """What is configured."""

    def service_names(self) -> tuple[str, ...]:
        """Every service."""
        ...

    def tier_names(self) -> tuple[str, ...]:
        """Every tier."""
        ...

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
        assessment: Assessment | None = None,
    ) -> Plan:
        """The plan of a canary; raises ValueError with a plain sentence."""
        ...

    def keepers(self, service: str) -> Gate:
        """Who may lower a tier, or override a freeze."""
        ...


class Launches(Protocol):
    """Looks at changes, and starts canaries of them.

    Both raise `PortError` when the store cannot be reached.
    """

    async def assess(self, service: str, revision: str, sent: Change | None = None) -> Assessment:
        """What a start of this revision would bring."""
        ...

    async def launch(self, wish: Wish) -> Canary | Refused:
        """Start it; raises ValueError with a plain sentence where it makes no plan."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What commands and clicks have in common."""

    desk: Desk
    launcher: Launches
    catalog: Catalog
    board: SlackBoard
    replies: Replies
    groups: Groups
    home: Home
    clock: Clock
    new_canary_id: Callable[[str], str]
    views: Views


async def starter(
    parts: Parts, visit: Visit, service: str, *, leave: bool
) -> tuple[Actor, str] | Refused:
    """Who starts it, and why some of their groups could not be looked up.

    Args:
        parts, visit, service: as ever.
        leave: whether it may take an approver's leave, for which groups are looked up first.

    """
    if not leave:
        return visit.actor(), ""
    foreign = await parts.home.refuse(visit)
    if foreign:
        return Refused(foreign)
    groups = groups_of([parts.catalog.keepers(service)], visit.user_id)
    member = await parts.groups.of(visit.user_id, groups)
    return visit.actor(member.groups), member.unknown


async def launch(parts: Parts, visit: Visit, wish: Wish) -> Canary | Refused:
    """Start what is wished for, as this person.

    Raises:
        ValueError: one plain sentence: it makes no plan.

    """
    leave = bool(wish.override or wish.tier)
    asked = await starter(parts, visit, wish.service, leave=leave)
    if isinstance(asked, Refused):
        return asked
    actor, unknown = asked
    return _adding(await parts.launcher.launch(replace(wish, by=actor)), unknown)


async def approve(
    parts: Parts,
    visit: Visit,
    canary: Canary,
    question: Question | None,
    step: int | None = None,
) -> Canary | Refused:
    """Pass on an approval with the groups of its giver, looked up at this click."""
    asked = await _with_groups(parts, visit, canary)
    if isinstance(asked, Refused):
        return asked
    actor, unknown = asked
    command = Approve(actor, parts.clock.now(), question, step)
    return _adding(await parts.desk.command(canary.id, command), unknown)


async def _with_groups(parts: Parts, visit: Visit, canary: Canary) -> tuple[Actor, str] | Refused:
    """The person with the groups that matter here, and why some could not be looked up."""
    foreign = await parts.home.refuse(visit)
    if foreign:
        return Refused(foreign)
    member = await parts.groups.of(visit.user_id, groups_to_ask(canary.plan, visit.user_id))
    return visit.actor(member.groups), member.unknown


def _adding(answer: Canary | Refused, unknown: str) -> Canary | Refused:
    """A refusal may rest on what could not be looked up."""
    return (
        Refused(f"{answer.reason} {unknown}")
        if isinstance(answer, Refused) and unknown
        else answer
    )


async def abort(parts: Parts, visit: Visit, canary_id: str, reason: str) -> Canary | Refused:
    """Pass on an abort; nothing is looked up first, so nothing can delay it."""
    return await parts.desk.command(canary_id, Abort(visit.actor(), parts.clock.now(), reason))


async def promote(
    parts: Parts, visit: Visit, canary: Canary, step: int | None = None
) -> Canary | Refused:
    """Pass on the wish to go on now, with the groups of whoever has it."""
    asked = await _with_groups(parts, visit, canary)
    if isinstance(asked, Refused):
        return asked
    actor, unknown = asked
    answer = await parts.desk.command(canary.id, Promote(actor, parts.clock.now(), step))
    return _adding(answer, unknown)


async def extend(parts: Parts, visit: Visit, canary_id: str, more: timedelta) -> Canary | Refused:
    """Pass on a longer window."""
    return await _of_ours(parts, visit, canary_id, Extend(visit.actor(), parts.clock.now(), more))


async def _of_ours(
    parts: Parts, visit: Visit, canary_id: str, command: Command
) -> Canary | Refused:
    """Pass on what every member of the workspace may do, and no guest."""
    foreign = await parts.home.refuse(visit)
    return Refused(foreign) if foreign else await parts.desk.command(canary_id, command)


async def mark(
    parts: Parts, visit: Visit, canary_id: str, *, false: bool, reason: str = ""
) -> Canary | Refused:
    """Pass on whether a rollback was a false alarm."""
    said = MarkAlarm(visit.actor(), parts.clock.now(), false, reason)
    return await _of_ours(parts, visit, canary_id, said)


async def undo(
    parts: Parts, visit: Visit, service: str, reason: str, promoted: str = ""
) -> Canary | Refused:
    """Pass on an undo; `promoted` is the canary that was looked at, if one was."""
    foreign = await parts.home.refuse(visit)
    if foreign:
        return Refused(foreign)
    new_id = parts.new_canary_id(service)
    return await parts.desk.undo(UndoRequest(new_id, service, visit.actor(), reason, promoted))


async def pause(
    parts: Parts, visit: Visit, canary_id: str, lasting: timedelta | None = None
) -> Canary | Refused:
    """Pass on a pause; for as long as the plan says where nothing else is asked for."""
    wanted = Pause(visit.actor(), parts.clock.now(), lasting)
    return await _of_ours(parts, visit, canary_id, wanted)


async def resume(parts: Parts, visit: Visit, canary_id: str) -> Canary | Refused:
    """Pass on a resume."""
    return await _of_ours(parts, visit, canary_id, Resume(visit.actor(), parts.clock.now()))


def approver_ids(canary: Canary) -> tuple[str, ...]:
    """Everyone the plan names, for showing them as mentions."""
    plan = canary.plan
    gates = (plan.start_gate, plan.promote_gate, plan.decision)
    return tuple(dict.fromkeys(one for gate in gates if gate for one in gate.approvers))
