"""A scenario without a browser: played through Slack as a person would, then checked."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from bot.demo.blocks import buttons, headline, lines_of
from bot.demo.chat import ADA, Chat
from bot.demo.envoy import read_split
from bot.demo.parts import LOAD
from bot.demo.places import Places
from bot.demo.processes import DemoError, Processes
from bot.demo.scenarios import Pace, Scenario, Sign
from bot.demo.transcript import Transcript

LOOK_SECONDS: Final = 0.25
ANNOUNCE_SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 15.0
"""How long the last thread replies may come after the end."""

SPARE_SECONDS: Final = 60.0
"""On top of all that the plan allows, for a slow machine."""

_ENDED: Final = re.compile(r"\b(promoted|rolled back|did not start)\b", re.IGNORECASE)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended, as seen from outside.

    Attributes:
        headline: of the live message; empty when there never was one.
        thread: everything said in the thread.
        split: percent by backend as Envoy tells it; None when it could not be asked.

    """

    headline: str
    thread: str
    split: dict[str, int] | None


def play(
    processes: Processes, places: Places, scenario: Scenario, pace: Pace, console: Console
) -> list[str]:
    """Play a scenario to its end.

    Returns:
        what was not as it must be, in plain words; empty when all was.

    Raises:
        DemoError: a part ended in the middle of it.

    """
    began = time.monotonic()
    with Chat(places.slack) as chat:
        transcript = Transcript(console, chat.name, lambda: time.monotonic() - began)
        typed = "/canary start shop v2"
        transcript.did(ADA, typed)
        trouble = chat.command(ADA, typed)
        if trouble:
            return [f"{typed!r} should start a canary; Slack showed: {trouble}"]
        player = Player(chat, transcript, scenario)
        if not player.wait(processes, lambda: player.live is not None, ANNOUNCE_SECONDS):
            return [f"{typed!r} should be announced in the channel, and was not; see above"]
        longest = pace.window + pace.extension + pace.decision + SPARE_SECONDS
        ended = player.wait(processes, lambda: player.ended, longest)
        live = player.live
        if ended:
            player.wait(processes, lambda: not unsaid(scenario, player.thread), SETTLE_SECONDS)
            if live is not None:
                transcript.whole(live)
        outcome = Outcome(headline(live or {}), player.thread, _split(places))
    console.print()
    if outcome.split is not None:
        console.print(f"Envoy, asked itself, carries: {shares(outcome.split)}", highlight=False)
    late = [] if ended else [f"it should end within {longest:.0f} s, and has not"]
    return late + problems(scenario, outcome)


class Player:
    """Watches the conversation and does what the scenario's people do."""

    def __init__(self, chat: Chat, transcript: Transcript, scenario: Scenario) -> None:
        self._chat = chat
        self._transcript = transcript
        self._scenario = scenario
        self._messages: list[Json] = []
        self._clicked = False

    def wait(self, processes: Processes, done: Callable[[], bool], longest: float) -> bool:
        """Look on until `done()`; whether it came in time."""
        deadline = time.monotonic() + longest
        while True:
            self._look()
            if done():
                return True
            if time.monotonic() > deadline:
                return False
            processes.check(spare=[LOAD])
            time.sleep(LOOK_SECONDS)

    @property
    def live(self) -> Json | None:
        """The canary's message, once it is there."""
        roots = (
            message
            for message in self._messages
            if headline(message)
            and not message.get("ephemeral_for")
            and message.get("thread_ts", message["ts"]) == message["ts"]
        )
        return next(roots, None)

    @property
    def thread(self) -> str:
        """Everything said under the canary's message."""
        live = self.live
        if live is None:
            return ""
        replies = [
            m for m in self._messages if m.get("thread_ts") == live["ts"] and m["ts"] != live["ts"]
        ]
        return "\n".join(line for reply in replies for line in lines_of(reply, self._chat.name))

    @property
    def ended(self) -> bool:
        """Whether the canary's message says that it is over, with nothing left to abort."""
        live = self.live
        if live is None or not ending_of(headline(live)):
            return False
        return not any("abort" in action_id for _, action_id in buttons(live))

    def _look(self) -> None:
        self._messages = self._chat.messages()
        self._transcript.show(self._messages)
        if self._scenario.approver and not self._clicked:
            self._approve(self._scenario.approver)

    def _approve(self, approver: str) -> None:
        """Click the approve button as soon as it is there."""
        live = self.live
        if live is None:
            return
        for label, action_id in buttons(live):
            if "approve" in action_id:
                self._clicked = True
                self._transcript.did(approver, f"clicks [{label}]")
                trouble = self._chat.click(approver, live, action_id)
                if trouble:
                    raise DemoError(
                        f"the click on {label} came to nothing; Slack showed: {trouble}"
                    )


def ending_of(head: str) -> str:
    """Which end a headline tells of, or nothing."""
    found = _ENDED.search(head)
    return found[0].lower() if found else ""


def unsaid(scenario: Scenario, thread: str) -> list[Sign]:
    """What the thread should say and does not."""
    return [sign for sign in scenario.said if not sign.is_in(thread)]


def problems(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What is not as the scenario must end, in plain words."""
    found = []
    if ending_of(outcome.headline) != scenario.ending:
        seen = repr(outcome.headline) if outcome.headline else "nothing: no message was posted"
        found.append(f"the message should say that v2 was {scenario.ending}; it says {seen}")
    if outcome.split is None:
        found.append("Envoy should tell its split; it does not answer")
    elif outcome.split != scenario.split:
        found.append(
            f"Envoy should carry {shares(scenario.split)}; it carries {shares(outcome.split)}"
        )
    found += [
        f"the thread should say {sign.words}, and does not"
        for sign in unsaid(scenario, outcome.thread)
    ]
    found += [
        f"the thread should not say {sign.words}, but does"
        for sign in scenario.unsaid
        if sign.is_in(outcome.thread)
    ]
    return found


def shares(split: dict[str, int]) -> str:
    """A split for people: `blue (v1) 100 %, green (v2) 0 %`."""
    revisions = {"blue": "v1", "green": "v2"}
    return ", ".join(f"{name} ({revisions[name]}) {share} %" for name, share in split.items())


def _split(places: Places) -> dict[str, int] | None:
    try:
        return read_split(places.admin)
    except DemoError:
        return None
