"""The demo's parts as a stage for tests: started as a user's are, with the parts in the test's hand."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.demo.blocks import headline
from bot.demo.chat import ADA, Chat
from bot.demo.config import write_config
from bot.demo.envoy import read_split
from bot.demo.loopback import free_ports
from bot.demo.parts import answers, start_all, start_bot
from bot.demo.places import Places, choose_places
from bot.demo.processes import Part, Processes
from bot.demo.scenarios import Pace, Scenario, find_scenario, pace_of

Json = dict[str, Any]


@dataclass
class Stage:
    """Everything running, and a person in front of it."""

    processes: Processes
    places: Places
    scenario: Scenario
    pace: Pace
    chat: Chat

    def start(self, text: str = "/canary start shop v2") -> None:
        """Type the command as Ada, who is told of no trouble."""
        assert self.chat.command(ADA, text) is None

    def lives(self) -> list[Json]:
        """The channel messages of canaries, the oldest first."""
        return [
            message
            for message in self.chat.messages()
            if headline(message) and message.get("thread_ts") in {None, message["ts"]}
        ]

    def live(self) -> Json:
        """The one message of the one canary."""
        (message,) = self.lives()
        return message

    def replies(self) -> list[Json]:
        """What the canary's thread holds."""
        ts = self.live()["ts"]
        return [m for m in self.chat.messages() if m.get("thread_ts") == ts and m["ts"] != ts]

    def split(self) -> dict[str, int]:
        """What Envoy itself says it carries, in percent."""
        return read_split(self.places.admin)

    def part(self, name: str) -> Part:
        """The running part of that name."""
        return next(part for part in reversed(self.processes.parts) if part.name == name)

    def kill(self, name: str) -> None:
        """Kill -9, and wait until it is gone."""
        process = self.part(name).process
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)

    def start_bot(self) -> None:
        """A new bot on the same configuration, connected."""
        config = write_config(self.places, self.scenario, self.pace)
        bot = start_bot(self.processes, self.places, config)
        deadline = time.monotonic() + 30
        while not answers(bot, self.places):
            assert bot.runs, bot.obituary()
            assert time.monotonic() < deadline, "the bot did not connect"
            time.sleep(0.1)

    def until(self, what: str, is_so: Callable[[], bool], patience: float = 60) -> None:
        """Wait until something is so; the logs' ends are shown when it is not."""
        deadline = time.monotonic() + patience
        while not is_so():
            heads = [headline(message) for message in self.lives()]
            assert time.monotonic() < deadline, f"never: {what}; {heads}; {self._tails()}"
            time.sleep(0.1)

    def says(self, words: str) -> bool:
        """Whether the message's headline holds these words."""
        return any(words in headline(message).lower() for message in self.lives())

    def _tails(self) -> str:
        logs = sorted(self.places.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-2000:]}" for log in logs)


@contextlib.contextmanager
def on_stage(folder: Path, scenario: str, window: int = 20) -> Iterator[Stage]:
    """Start everything for a scenario, and stop it all in the end."""
    found, pace = find_scenario(scenario), pace_of(timedelta(seconds=window))
    places = choose_places(folder, "127.0.0.1", free_ports(1)[0])
    with Processes(folder) as processes:
        start_all(processes, places, found, pace)
        with Chat(places.slack) as chat:
            yield Stage(processes, places, found, pace, chat)


__all__ = ["Stage", "on_stage"]
