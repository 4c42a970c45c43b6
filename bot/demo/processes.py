"""Processes that live no longer than the demo: watched while they run, stopped in reverse order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bot.demo import warden

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 6.0
POLL_SECONDS: Final = 0.05
TAIL_LINES: Final = 15

_NOT_FOR_PARTS: Final = ("SLACK_", "CANARY_")
_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy"})


class DemoError(Exception):
    """The demo cannot go on; the text says what happened, why, and what to do next."""


@dataclass(frozen=True, slots=True)
class Part:
    """One running process and the file its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def runs(self) -> bool:
        """Whether it is still there."""
        return self.process.poll() is None

    def obituary(self) -> str:
        """What is known about its end, with the last lines it wrote."""
        code = self.process.returncode
        how = (
            f"was ended by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
        )
        return f"{self.name} {how}. The end of its log, {self.log}:\n{tail(self.log)}"


class Processes:
    """Starts parts into one process group; leaving the context stops them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[Part] = []
        self._warden: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the warden first: from here on nothing can be left behind."""
        # A group of its own keeps a Ctrl-C in the terminal away from the parts: they are stopped
        # in order instead of all at once.
        self._warden = subprocess.Popen(
            [sys.executable, "-I", str(Path(warden.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything, whatever happened."""
        self.stop()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything started and not stopped yet, in the order of starting."""
        return tuple(self._parts)

    @property
    def warden(self) -> int | None:
        """The process id that guards the others; None outside the context."""
        return self._warden.pid if self._warden else None

    def start(
        self, name: str, command: Sequence[str | Path], more: Mapping[str, str] | None = None
    ) -> Part:
        """Start a part; its output goes to `<name>.log`.

        Args:
            name: what people call it.
            command: the program and its arguments.
            more: variables for its environment.

        Raises:
            DemoError: the program cannot be started.

        """
        assert self._warden is not None, "parts are started inside the context"
        log = self._folder / f"{name.replace(' ', '-')}.log"
        environment = clean_environment(os.environ) | dict(more or {})
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [str(word) for word in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    process_group=self._warden.pid,
                )
        except OSError as error:
            raise DemoError(
                f"{name} cannot be started: {error}. Install the demo's packages anew with "
                "`make demo`"
            ) from error
        part = Part(name, process, log)
        self._parts.append(part)
        return part

    def wait(self, part: Part, ready: Callable[[], bool], patience: float = START_SECONDS) -> None:
        """Wait until a part is ready.

        Raises:
            DemoError: it, or another part, ended, or it was not ready in time; with its last
                lines.

        """
        deadline = time.monotonic() + patience
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{part.name} was not ready after {patience:g} s. Is the machine very busy? "
                    f"The end of its log, {part.log}:\n{tail(part.log)}"
                )
            time.sleep(POLL_SECONDS)

    def ended(self) -> tuple[Part, ...]:
        """The parts that have ended by themselves."""
        return tuple(part for part in self._parts if not part.runs)

    def check(self, spare: Sequence[str] = ()) -> None:
        """Raise when a part has ended, but for those named in `spare`.

        Raises:
            DemoError: with the last lines of that part.

        """
        for part in self.ended():
            if part.name not in spare:
                raise DemoError(f"{part.obituary()}\nWithout it the demo cannot go on")

    def stop(self) -> None:
        """Stop all parts, the last one started first; safe to call twice."""
        while self._parts:
            stop_process(self._parts[-1].process)
            self._parts.pop()
        if self._warden is not None:
            _dismiss(self._warden)
            self._warden = None


def stop_process(process: subprocess.Popen[bytes], patience: float = STOP_SECONDS) -> None:
    """Ask a process to end, and end it when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _dismiss(warden_process: subprocess.Popen[bytes]) -> None:
    """End the warden, and with its group whatever was being started as an interrupt came."""
    assert warden_process.stdin is not None
    os.killpg(warden_process.pid, signal.SIGKILL)
    warden_process.wait()
    warden_process.stdin.close()


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what could lead a part to a real Slack, a real Redis or a proxy."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(_NOT_FOR_PARTS) and name.lower() not in _PROXIES
    }
    return kept | {"PYTHONUNBUFFERED": "1"}


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, indented."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"  (it cannot be read: {error})"
    last = text.splitlines()[-lines:]
    return "\n".join(f"  {line}" for line in last) or "  (it is empty)"
