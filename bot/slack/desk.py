"""What the Slack edge needs of the rest of the bot, and the parts its listeners share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.core.canary import Canary
from bot.core.commands import Abort, Approve, Command, Pause, Question, Resume, Start
from bot.core.machine import Refused
from bot.core.plan import Plan
from bot.ports import Clock
from bot.slack.live_message import SlackBoard
from bot.slack.permissions import Groups, Home, Visit, groups_to_ask
from bot.slack.reply import Replies


class Desk(Protocol):
    """Starts canaries, takes commands for them and finds them.

    All methods raise `PortError` when the store cannot be reached.
    """

    async def start(self, start: Start) -> Canary | Refused:
        """Begin a canary, unless its service has one."""
        ...

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
        self, service: str, *, tier: str | None, percent: str | None, window: str | None
    ) -> Plan:
        """The plan of a canary; raises ValueError with a plain sentence."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What commands and clicks have in common."""

    desk: Desk
    catalog: Catalog
    board: SlackBoard
    replies: Replies
    groups: Groups
    home: Home
    clock: Clock
    new_canary_id: Callable[[str], str]


async def approve(
    parts: Parts,
    visit: Visit,
    canary: Canary,
    question: Question | None,
    step: int | None = None,
) -> Canary | Refused:
    """Pass on an approval with the groups of its giver, looked up at this click."""
    foreign = await parts.home.refuse(visit)
    if foreign:
        return Refused(foreign)
    member = await parts.groups.of(visit.user_id, groups_to_ask(canary.plan, visit.user_id))
    asked = Approve(visit.actor(member.groups), parts.clock.now(), question, step)
    answer = await parts.desk.command(canary.id, asked)
    if isinstance(answer, Refused) and member.unknown:
        return Refused(f"{answer.reason} {member.unknown}")
    return answer


async def abort(parts: Parts, visit: Visit, canary_id: str, reason: str) -> Canary | Refused:
    """Pass on an abort; nothing is looked up first, so nothing can delay it."""
    return await parts.desk.command(canary_id, Abort(visit.actor(), parts.clock.now(), reason))


async def pause(parts: Parts, visit: Visit, canary_id: str) -> Canary | Refused:
    """Pass on a pause."""
    return await parts.desk.command(canary_id, Pause(visit.actor(), parts.clock.now()))


async def resume(parts: Parts, visit: Visit, canary_id: str) -> Canary | Refused:
    """Pass on a resume."""
    return await parts.desk.command(canary_id, Resume(visit.actor(), parts.clock.now()))


def approver_ids(canary: Canary) -> tuple[str, ...]:
    """Everyone the plan names, for showing them as mentions."""
    plan = canary.plan
    gates = (plan.start_gate, plan.promote_gate, plan.decision)
    return tuple(dict.fromkeys(one for gate in gates if gate for one in gate.approvers))
