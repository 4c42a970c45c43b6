"""People in the local Slack, who try again when it does not answer."""

from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from bot.demo.blocks import buttons, headline

ADA: Final = "U0ADA0001"
GRACE: Final = "U0GRACE01"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What the channel holds about one canary.

    Attributes:
        roots: its messages in the channel itself.
        notes: the number of each note, and the thread it is in, in the order of posting.

    """

    roots: tuple[Json, ...]
    notes: tuple[tuple[int, str], ...]

    @property
    def head(self) -> str:
        """The headline of the one message; nothing when there is none, or more than one."""
        return headline(self.roots[0]) if len(self.roots) == 1 else ""


class People:
    """Their hands and eyes, through the control API."""

    def __init__(self, address: str) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=8, trust_env=False)

    async def close(self) -> None:
        """Leave."""
        await self._http.aclose()

    async def command(self, user: str, channel: str, text: str) -> bool:
        """Type a slash command; whether the bot acknowledged it."""
        return await self._act("command", {"user": user, "channel": channel, "text": text})

    async def click(
        self, user: str, channel: str, canary_id: str, action: str, since: str
    ) -> bool:
        """Click a button of a canary's message; whether there was one, and it was acknowledged."""
        said = await self.said(channel, canary_id, since)
        for root in said.roots if said is not None else ():
            if any(action == found for _, found in buttons(root)):
                place = {"channel": channel, "message_ts": root["ts"]}
                return await self._act("click", {"user": user, "action_id": action, **place})
        return False

    async def said(self, channel: str, canary_id: str, since: str = "") -> Said | None:
        """What is said about a canary, by its metadata; None when Slack cannot be asked."""
        all_said = await self.all_said(channel, since)
        return None if all_said is None else all_said.get(canary_id, Said((), ()))

    async def all_said(self, channel: str, since: str = "") -> dict[str, Said] | None:
        """What is said about each canary; `since` is a ts. None when Slack cannot be asked."""
        query = {"channel": channel, "since": since}
        try:
            answer = await self._http.get("/_/messages", params=query)
            messages: list[Json] = answer.json()["messages"]
        except (httpx.HTTPError, ValueError, KeyError):
            return None
        found: dict[str, Said] = {}
        for message in messages:
            metadata = message.get("metadata") or {}
            about = metadata.get("event_payload", {})
            if "canary_id" not in about:
                continue
            said = found.setdefault(about["canary_id"], Said((), ()))
            if metadata["event_type"] == "canary":
                found[about["canary_id"]] = replace(said, roots=(*said.roots, message))
            else:
                note = (int(about["number"]), str(message.get("thread_ts", "")))
                found[about["canary_id"]] = replace(said, notes=(*said.notes, note))
        return found

    async def _act(self, path: str, body: Json) -> bool:
        try:
            answer = await self._http.post(f"/_/{path}", json=body)
            return bool(answer.json().get("ok"))
        except (httpx.HTTPError, ValueError):
            return False
