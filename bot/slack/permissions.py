"""Who is asking: the person behind a payload, and the groups and channels that let them approve.

The decision itself is the core's; here only facts are gathered, and a fact that cannot be had is
never taken for a yes.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bot.core.canary import Thread
from bot.core.plan import Actor, Gate, Plan
from bot.slack.faults import BROKEN, error_code, explain, retry_after
from bot.slack.limiter import Limiter, Priority, TooLong
from bot.slack.views.kit import is_channel, is_group

FRESH: Final = 60.0
"""Seconds for which a group's members are taken as they were last read."""

STALE: Final = 600.0
"""Seconds after which they are no longer believed, when Slack cannot be asked."""

PATIENCE: Final = 5.0
PAGE: Final = 500
MOST_PAGES: Final = 10
"""Of a channel's members; nobody means so many people to approve."""

_GROUPS: Final = "usergroups.users.list"
_CHANNELS: Final = "conversations.members"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Visit:
    """One person asking for something at one place."""

    user_id: str
    user_name: str = ""
    team_id: str = ""
    channel: str = ""
    response_url: str = ""

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Visit":
        """From any payload of Slack: a command, a click, a view, a shortcut or an event."""
        user = body.get("user") if isinstance(body.get("user"), dict) else {}
        channel = body.get("channel") if isinstance(body.get("channel"), dict) else {}
        container = body.get("container") if isinstance(body.get("container"), dict) else {}
        team = body.get("team") if isinstance(body.get("team"), dict) else {}
        user, channel, container, team = user or {}, channel or {}, container or {}, team or {}
        return cls(
            user_id=str(body.get("user_id") or user.get("id") or ""),
            user_name=str(body.get("user_name") or user.get("name") or user.get("username") or ""),
            # The person's own team first: a guest of Slack Connect clicks in our channel.
            team_id=str(user.get("team_id") or body.get("team_id") or team.get("id") or ""),
            channel=str(
                body.get("channel_id") or channel.get("id") or container.get("channel_id") or ""
            ),
            response_url=str(body.get("response_url") or ""),
        )

    def actor(self, groups: tuple[str, ...] = ()) -> Actor:
        """The person as the core knows people."""
        return Actor(self.user_id, self.user_name, groups)


@dataclass(frozen=True, slots=True)
class Membership:
    """Which of the asked groups and channels a person is in, and why some could not be looked up."""

    groups: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(slots=True)
class _Members:
    users: frozenset[str]
    read_at: float


class Groups:
    """Members of user groups and channels, read at most once a minute each, one reading at a time."""

    def __init__(
        self, client: Any, limiter: Limiter, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._now = now
        self._members: dict[str, _Members] = {}
        self._reading: dict[str, asyncio.Task[str]] = {}

    async def of(self, user_id: str, groups: Iterable[str]) -> Membership:
        """Which of these groups and channels the person is in; what cannot be known counts as not."""
        found: list[str] = []
        unknown = ""
        for group in groups:
            why = await self._refresh(group)
            members = self._members.get(group)
            if members is None or self._now() - members.read_at > STALE:
                unknown = why or unknown
            elif user_id in members.users:
                found.append(group)
        return Membership(tuple(found), unknown)

    async def _refresh(self, group: str) -> str:
        """Read the group unless that was done just now; why it failed, or nothing."""
        members = self._members.get(group)
        if members is not None and self._now() - members.read_at <= FRESH:
            return ""
        task = self._reading.get(group)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._read(group))
            self._reading[group] = task
            task.add_done_callback(lambda _: self._reading.pop(group, None))
        return await asyncio.shield(task)

    async def _read(self, group: str) -> str:
        kind, method = ("channel", _CHANNELS) if is_channel(group) else ("user group", _GROUPS)
        what = f"The members of the {kind} {group} could not be read"
        try:
            found = await (self._in_channel(group) if is_channel(group) else self._in_group(group))
        except TooLong as error:
            return f"{what}: {error}."
        except BROKEN as error:
            wait = retry_after(error)
            if wait is not None:
                self._limiter.pause(method, wait + 0.5)
            _log.warning(
                "slack.group.not_read", group=group, error=error_code(error) or str(error)
            )
            return explain(what, error)
        if found is None:
            return f"{what}: it has more than {MOST_PAGES * PAGE:,}. Name a smaller one."
        self._members[group] = _Members(found, self._now())
        return ""

    async def _in_group(self, group: str) -> frozenset[str]:
        await self._limiter.take(_GROUPS, None, Priority.URGENT, PATIENCE)
        answer = await self._client.usergroups_users_list(usergroup=group)
        return frozenset(map(str, answer.get("users") or []))

    async def _in_channel(self, channel: str) -> frozenset[str] | None:
        """Everybody in the channel, page by page; None where that are too many to be meant."""
        users: set[str] = set()
        cursor = ""
        for _ in range(MOST_PAGES):
            await self._limiter.take(_CHANNELS, None, Priority.URGENT, PATIENCE)
            answer = await self._client.conversations_members(
                channel=channel, limit=PAGE, **({"cursor": cursor} if cursor else {})
            )
            users.update(map(str, answer.get("members") or []))
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return frozenset(users)
        return None


class Home:
    """The workspace the bot lives in, asked of Slack once."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.teams: frozenset[str] = frozenset()
        self.url = ""

    async def learn(self) -> str:
        """Ask Slack unless it is known; why it failed, or nothing."""
        if self.teams:
            return ""
        try:
            answer = await self._client.auth_test()
        except BROKEN as error:
            return explain("The bot's own workspace could not be read", error)
        ids = (answer.get("team_id"), answer.get("enterprise_id"))
        self.teams = frozenset(str(team) for team in ids if team)
        self.url = str(answer.get("url") or "")
        return ""

    def link(self, thread: Thread | None) -> str:
        """The address of a canary's message; empty while the workspace is not known."""
        if thread is None or not self.url:
            return ""
        return f"{self.url}archives/{thread.channel}/p{thread.ts.replace('.', '')}"

    async def refuse(self, visit: Visit) -> str:
        """Why this person may not decide here: another workspace's guest; or nothing.

        Aborting is nobody's privilege, so it is never asked.
        """
        why = await self.learn()
        if why:
            return (
                f"That needs your workspace to be checked. {why} Nothing changed. "
                "Aborting a live canary is always possible."
            )
        if visit.team_id in self.teams:
            return ""
        return (
            "You belong to another workspace, and only members of this one may do that. "
            "Nothing changed; ask one of them. Aborting a live canary is open to you."
        )

    async def refuse_freezing(self, visit: Visit, *, lifting: bool) -> str:
        """Why this person may not freeze, or lift a freeze; or nothing.

        Where the workspace cannot be read, a freeze can be set but not lifted.
        """
        why = await self.learn()
        if why and lifting:
            return f"Lifting a freeze needs your workspace to be checked. {why} Nothing changed."
        if why or visit.team_id in self.teams:
            return ""
        return (
            "You belong to another workspace, and only members of this one may freeze, or lift a "
            "freeze. Nothing changed; ask one of them."
        )


def groups_to_ask(plan: Plan, user_id: str) -> tuple[str, ...]:
    """The plan's groups and channels of approvers; none where the person is named by id anyway."""
    gates = [gate for gate in (plan.start_gate, plan.promote_gate, plan.decision) if gate]
    return groups_of(gates, user_id)


def groups_of(gates: Sequence[Gate], user_id: str) -> tuple[str, ...]:
    """The gates' groups and channels; none where the person is admitted by id anyway."""
    approvers = [approver for gate in gates for approver in gate.approvers]
    if all(gate.admits(Actor(user_id)) for gate in gates):
        return ()
    asked = (one for one in approvers if is_group(one) or is_channel(one))
    return tuple(dict.fromkeys(asked))
