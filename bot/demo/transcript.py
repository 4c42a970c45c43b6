"""The Slack conversation in the terminal as it happens: each thing once, edits in one line."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bot.demo.blocks import Names, headline, lines_of, plain

Json = dict[str, Any]

PROGRESS_SECONDS: Final = 10.0
"""An edit that changes only numbers is shown at most this often."""

NAME_WIDTH: Final = 9
_MOVING: Final = re.compile(r"updated ")


@dataclass(slots=True)
class _Shown:
    """A message as it was last printed."""

    head: str
    text: str
    at: float


@dataclass(slots=True)
class Transcript:
    """Prints what is new in a channel.

    Attributes:
        console: where to.
        name: what people call a user id.
        clock: seconds since the beginning.

    """

    console: Console
    name: Names
    clock: Callable[[], float]
    _shown: dict[str, _Shown] = field(default_factory=dict)

    def did(self, user: str, text: str) -> None:
        """Print what a person does."""
        self._print(self.name(user), [text], style="bold cyan")

    def show(self, messages: Sequence[Json]) -> None:
        """Print what is new among these."""
        for message in messages:
            before = self._shown.get(message["ts"])
            if before is None:
                self._first(message)
            else:
                self._edited(message, before)

    def whole(self, message: Json) -> None:
        """Print a message as it stands now."""
        self._print(self.name(message["user"]), self._lines(message), style="bold")

    def _first(self, message: Json) -> None:
        self._remember(message)
        who = self.name(message["user"])
        lines = self._lines(message)
        if message.get("ephemeral_for"):
            reader = self.name(message["ephemeral_for"])
            self._print(who, [f"(only {reader} sees this) {lines[0]}", *lines[1:]], style="dim")
        elif _in_thread(message):
            also = ["(shown in the channel too)"] if message.get("broadcast") else []
            self._print(who, [*lines, *also], indent="  ↳ ")
        else:
            self._print(who, lines, style="bold")

    def _edited(self, message: Json, before: _Shown) -> None:
        if message.get("text") == before.text and headline(message) == before.head:
            return
        moved_on = headline(message) != before.head
        if moved_on or self.clock() - before.at >= PROGRESS_SECONDS:
            self._remember(message)
            text = plain(message.get("text", ""), self.name)
            self._print(self.name(message["user"]), [f"✎ {text}"], style="" if moved_on else "dim")

    def _remember(self, message: Json) -> None:
        shown = _Shown(headline(message), message.get("text", ""), self.clock())
        self._shown[message["ts"]] = shown

    def _lines(self, message: Json) -> list[str]:
        found = [line for line in lines_of(message, self.name) if not _MOVING.search(line)]
        return found or ["(empty)"]

    def _print(self, who: str, lines: Sequence[str], *, style: str = "", indent: str = "") -> None:
        at = f"{self.clock():6.1f} s  "
        for place, line in enumerate(lines):
            margin = at + who.ljust(NAME_WIDTH) if place == 0 else " " * (len(at) + NAME_WIDTH)
            lead = indent if place == 0 else " " * len(indent)
            row = Text.assemble((margin, "dim"), (lead + line, style if place == 0 else ""))
            self.console.print(row, soft_wrap=True, highlight=False)


def _in_thread(message: Json) -> bool:
    return bool(message.get("thread_ts", message["ts"]) != message["ts"])
