"""The view of a canary under way: live on a terminal, line by line in a pipeline's log."""

import os
import sys
from collections.abc import Mapping
from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bot.client import words
from bot.client.talking import State, has_ended

_STYLES: Final = {
    "healthy": "green",
    "thin": "yellow",
    "blind": "yellow",
    "breached": "bold red",
}
WIDTH: Final = 40


class View(Protocol):
    """Shows a canary while it is waited for."""

    def show(self, state: State) -> None:
        """This is how it is now."""
        ...

    def say(self, text: str) -> None:
        """Something else is to be known."""
        ...

    def close(self) -> None:
        """Nothing more follows."""
        ...


def view(env: Mapping[str, str]) -> View:
    """What suits standard error: a terminal, or a log."""
    console = Console(stderr=True)
    if console.is_terminal and not env.get("CI"):
        return OnTerminal(console)
    return InLog(groups=env.get("GITHUB_ACTIONS") == "true")


class OnTerminal:
    """One picture that is drawn anew."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state: State | None = None
        self._live = Live(
            console=console, get_renderable=self._picture, refresh_per_second=2, transient=False
        )
        self._runs = False

    def show(self, state: State) -> None:
        """See `View.show`."""
        self._state = state
        if not self._runs:
            self._live.start()
            self._runs = True
        self._live.refresh()

    def say(self, text: str) -> None:
        """See `View.say`."""
        self._console.print(Text(text, "yellow"))

    def close(self) -> None:
        """See `View.close`."""
        if self._runs:
            self._live.stop()
            self._runs = False

    def _picture(self) -> Group:
        return Group() if self._state is None else picture(self._state)


def picture(state: State) -> Group:
    """The whole canary."""
    parts: list[Text | Table] = [Text(headline(state), "bold")]
    share, told = words.progress(state, words.now())
    if told:
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(total=1, completed=share, width=WIDTH), Text(told))
        parts.append(bar)
    if state["slos"]:
        parts.append(_slos(state))
    if state["waiting_for"]:
        parts.append(Text(f"It {words.question(state['waiting_for'])}", "yellow"))
    if "message" in state["links"]:
        parts.append(Text(f"In Slack: {state['links']['message']}", "dim", overflow="fold"))
    if state["timeline"]:
        last = state["timeline"][-1]
        parts.append(Text(f"{words.moment(last['at']):%H:%M:%S} {last['text']}", "dim"))
    return Group(*parts)


def headline(state: State) -> str:
    """Where it stands."""
    step = f", step {state['step']} of {state['steps']}" if state["steps"] > 1 else ""
    return (
        f"{state['summary']} ({state['id']}, tier {state['tier']}{step if state['step'] else ''})"
    )


def _slos(state: State) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("SLO", "", "canary", "stable", "ratio"):
        table.add_column(heading, justify="left" if heading in {"SLO", ""} else "right")
    for slo in state["slos"]:
        health = Text(
            words.HEALTHS.get(slo["health"], slo["health"]), _STYLES.get(slo["health"], "")
        )
        arms = words.value(slo, "canary"), words.value(slo, "stable")
        table.add_row(words.name_of(slo), health, *arms, words.ratio(slo))
    return table


class InLog:
    """Lines, and only where something has changed.

    Args:
        groups: whether lines are folded as GitHub Actions does it.

    """

    def __init__(self, *, groups: bool = False) -> None:
        self._groups = groups
        self._told: dict[str, str] = {}
        self._is_open = False

    def show(self, state: State) -> None:
        """See `View.show`."""
        if self._groups and not self._is_open and not has_ended(state):
            self._write(f"::group::{_plain(headline(state))}")
            self._is_open = True
        self._once("summary", headline(state))
        if "message" in state["links"]:
            self._once("message", f"  in Slack: {state['links']['message']}")
        for slo in state["slos"]:
            if self._told.get(slo["name"]) != slo["health"]:
                self._told[slo["name"]] = slo["health"]
                self._write(f"  {_plain(words.line_of(slo))}")
        waiting = state["waiting_for"]
        if waiting:
            self._once("waiting", f"  it {words.question(waiting)}")

    def say(self, text: str) -> None:
        """See `View.say`."""
        self._write(_plain(text))

    def close(self) -> None:
        """See `View.close`."""
        if self._is_open:
            self._write("::endgroup::")
            self._is_open = False

    def _once(self, what: str, text: str) -> None:
        if self._told.get(what) != text:
            self._told[what] = text
            self._write(_plain(text))

    def _write(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _plain(text: str) -> str:
    """What comes from outside begins no line of its own, and so no workflow command."""
    return " ".join(text.split()) if not text.startswith("  ") else f"  {' '.join(text.split())}"


def summarise(state: State, env: Mapping[str, str]) -> None:
    """Into the job's summary, where GitHub Actions has one."""
    path = env.get("GITHUB_STEP_SUMMARY")
    if not path or not os.path.isabs(path):  # noqa: PTH117 - a string is what it is
        return
    rows = [
        f"| {words.name_of(slo)} | {words.HEALTHS.get(slo['health'], slo['health'])} | "
        f"{words.value(slo, 'canary')} | {words.value(slo, 'stable')} | {words.ratio(slo)} |"
        for slo in state["slos"]
    ]
    first, *others = words.ended(state)
    name = f"[{state['id']}]({link})" if (link := state["links"].get("message")) else state["id"]
    lines = [f"### Canary {name}", "", first, *(f"- {each.strip()}" for each in others), ""]
    if rows:
        lines += ["| SLO | | canary | stable | ratio |", "|---|---|---|---|---|", *rows, ""]
    text = "\n".join(line.replace("<", "&lt;") for line in lines)
    try:
        with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - as above
            file.write(text)
    except OSError as error:
        sys.stderr.write(f"the job's summary cannot be written: {error.strerror}\n")
