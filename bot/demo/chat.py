"""A person's hands and eyes in the local Slack, through its control API."""

from typing import Any, Final, Self

import httpx

from bot.demo.config import CHANNEL
from bot.demo.processes import DemoError

ADA: Final = "U0ADA0001"
"""Who starts canaries."""

Json = dict[str, Any]


class Chat:
    """Types, clicks and reads in the deploys channel."""

    def __init__(self, address: str) -> None:
        # Longer than the workspace waits for an acknowledgement, so that it tells what went wrong.
        self._http = httpx.Client(base_url=address, timeout=15, trust_env=False)
        self.names: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Learn who is who."""
        state = self._call("GET", "/_/state")
        people = [*state["users"], state["bot"]]
        self.names = {person["id"]: person["name"] for person in people}
        self.names |= {place["id"]: place.get("name", "") for place in state["channels"]}
        self.names |= {group["id"]: group["handle"] for group in state["groups"]}
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection."""
        self._http.close()

    def name(self, user: str) -> str:
        """What people call a person, a group or a channel."""
        return self.names.get(user, user)

    def command(self, user: str, text: str) -> str | None:
        """Type a slash command; what Slack showed when it went wrong, else None."""
        return self._act("/_/command", {"user": user, "channel": CHANNEL, "text": text})

    def click(self, user: str, message: Json, action_id: str) -> str | None:
        """Click a button of a message; what Slack showed when it went wrong, else None."""
        place = {"channel": CHANNEL, "message_ts": message["ts"]}
        return self._act("/_/click", {"user": user, "action_id": action_id, **place})

    def messages(self) -> list[Json]:
        """All messages of the channel in the order they were posted, private ones included."""
        found: list[Json] = self._call("GET", "/_/messages", channel=CHANNEL)["messages"]
        return found

    def _act(self, path: str, body: Json) -> str | None:
        answer = self._call("POST", path, body)
        if answer.get("ok"):
            return None
        return str(answer.get("shown") or answer.get("error"))

    def _call(self, method: str, path: str, body: Json | None = None, **query: str) -> Json:
        try:
            response = self._http.request(method, path, json=body, params=query)
            answer: Json = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DemoError(f"the local Slack does not answer {path}: {error}") from error
        return answer
