"""Whether this process lives, and whether it can do its work: `/healthz` and `/readyz`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

DEAD_AFTER: Final = 30.0
"""Seconds without a turn of the ticker after which a supervisor should begin anew."""

STORE_PATIENCE: Final = 10.0
"""Seconds: a heartbeat comes every second, and a failover takes several."""

SLACK_PATIENCE: Final = 15.0
"""Seconds: a torn socket is back within a few."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status code and what is said with it, as JSON."""

    status: int
    body: dict[str, Any]


@dataclass(slots=True)
class _Part:
    """Something the bot cannot work without.

    Attributes:
        patience: how long it may be away before it counts, in seconds.
        look: whether it is well now; None for one that reports by itself.
        well_at: when it last was; None for never.

    """

    patience: float
    look: Callable[[], bool] | None = None
    well_at: float | None = None
    why: str = field(default="")


class Health:
    """What the process knows of itself.

    Parts are looked at whenever the loop turns, so that one lost ping between two good ones is
    not seen at all, and one that lasts is.

    Args:
        now: a clock that nobody sets, in seconds.

    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._turned_at = now()
        self._leaving = False
        self._parts = {"store": _Part(STORE_PATIENCE)}

    def watch(self, name: str, look: Callable[[], bool], patience: float) -> None:
        """Be ready only while this part was well within the last `patience` seconds."""
        self._parts[name] = _Part(patience, look)
        self._look(self._parts[name])

    def turned(self) -> None:
        """The ticker has woken."""
        self._turned_at = self._now()
        for part in self._parts.values():
            self._look(part)

    def reached(self, *, well: bool) -> None:
        """A heartbeat has reached the store, or not."""
        if well:
            self._parts["store"].well_at = self._now()

    def leave(self) -> None:
        """Not ready from now on: the process is being stopped, and others take its work."""
        self._leaving = True

    def is_well(self, name: str) -> bool:
        """Whether a part is well, its patience included."""
        return self._state(self._parts[name])[0]

    def alive(self) -> Answer:
        """`/healthz`: 503 once nothing has woken for half a minute, whatever else is wrong.

        A store or a Slack that is away is no reason to be restarted.
        """
        silent = self._now() - self._turned_at
        if silent <= DEAD_AFTER:
            return Answer(200, {"ok": True})
        why = f"nothing has woken for {silent:.0f} s; restart this process"
        return Answer(503, {"ok": False, "reason": why})

    def ready(self) -> Answer:
        """`/readyz`: 503 while a part has been away for longer than its patience, or on leaving."""
        states = {name: self._state(part) for name, part in self._parts.items()}
        parts = {name: {"ok": well, "state": words} for name, (well, words) in states.items()}
        alive = self.alive().status == 200
        if not alive:
            parts["process"] = {"ok": False, "state": str(self.alive().body["reason"])}
        if self._leaving:
            parts["process"] = {"ok": False, "state": "leaving"}
        ok = all(part["ok"] for part in parts.values())
        return Answer(200 if ok else 503, {"ok": ok, "parts": parts})

    def _look(self, part: _Part) -> None:
        if part.look is None:
            return
        try:
            well, part.why = part.look(), ""
        except Exception as error:  # noqa: BLE001 - a part that cannot be looked at is not well
            well, part.why = False, f" ({error!r})"
        if well:
            part.well_at = self._now()

    def _state(self, part: _Part) -> tuple[bool, str]:
        if part.well_at is None:
            return False, f"not yet there{part.why}"
        away = self._now() - part.well_at
        if away > part.patience:
            return False, f"away for {away:.0f} s{part.why}"
        return True, "well"
