"""Slack's wire format in small: answers, errors, ids and times."""

import secrets
import string
import time
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

_ID_ALPHABET = string.ascii_uppercase + string.digits


class SlackError(Exception):
    """An answer `{"ok": false, "error": ...}`; Slack sends it with HTTP 200."""

    def __init__(self, error: str, messages: Sequence[str] = (), **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.messages = list(messages)
        self.extra = extra

    def wire(self) -> Json:
        """Give the JSON body of the answer."""
        answer: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["errors"] = self.messages
            answer["response_metadata"] = {"messages": [f"[ERROR] {m}" for m in self.messages]}
        return answer


class RefusedError(Exception):
    """A request to the control API that cannot be done, said in plain words."""

    def __init__(self, message: str, *, status: int = 400, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.extra = extra


def new_id(prefix: str, length: int = 9) -> str:
    """Make an id such as `V0K3PQ9XZ1`."""
    return prefix + "0" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(length))


def short_id() -> str:
    """Make a short id as Slack gives blocks and elements that have none."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))


class TsClock:
    """Timestamps as Slack's message ids: seconds with six decimals, never twice the same."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        """Give the next timestamp, later than any given before."""
        now = int(time.time() * 1_000_000)
        self._last = max(now, self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def not_before(self, ts: str) -> None:
        """Give only later timestamps than this one, whatever the machine's clock does."""
        seconds, _, micros = ts.partition(".")
        self._last = max(self._last, int(seconds) * 1_000_000 + int(micros))


def choices(names: Sequence[str]) -> str:
    """List known names for an error text."""
    return ", ".join(sorted(names)) or "none"
