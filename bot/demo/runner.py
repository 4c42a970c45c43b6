"""Runs the demo from its first line to its last: chooses, starts, plays or waits, cleans up."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from rich.console import Console

from bot.demo import DemoOptions
from bot.demo.headless import play
from bot.demo.loopback import free_ports, is_free
from bot.demo.parts import LOAD, check_extras, start_all
from bot.demo.places import Places, choose_places
from bot.demo.processes import DemoError, Processes
from bot.demo.scenarios import Pace, Scenario, find_scenario, pace_of
from bot.demo.welcome import pace_says, welcome

FAILED: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 130
NEARBY_PORTS: Final = 20


def run_demo(options: DemoOptions) -> int:
    """See `bot.demo.run`."""
    console = Console(soft_wrap=True)
    try:
        scenario = find_scenario(options.scenario)
        pace = pace_of(options.window)
        check_extras()
        page = _page_port(options, console)
    except DemoError as error:
        Console(stderr=True, soft_wrap=True).print(f"{error}", markup=False, highlight=False)
        return UNUSABLE
    folder = _make_folder(scenario, keep=options.keep)
    places = choose_places(folder, options.host, page)
    code = _run(options, places, scenario, pace, console)
    if options.keep or code == FAILED:
        console.print(f"All logs lie in {folder}", markup=False, highlight=False)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _run(
    options: DemoOptions, places: Places, scenario: Scenario, pace: Pace, console: Console
) -> int:
    try:
        with _interruptible(), Processes(places.folder) as processes:
            console.print(
                f"Starting Valkey, Envoy, the shop, a local Slack and the bot for “{scenario.name}” …",
                highlight=False,
            )
            start_all(processes, places, scenario, pace)
            if options.headless:
                return _headless(processes, places, scenario, pace, console)
            welcome(console, places, scenario, pace)
            _stay(processes, console)
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.", highlight=False)
        return INTERRUPTED if options.headless else 0
    except DemoError as error:
        console.print(f"\n{error}", style="red", markup=False, highlight=False)
        return FAILED
    return 0


def _headless(
    processes: Processes, places: Places, scenario: Scenario, pace: Pace, console: Console
) -> int:
    console.print(f"{scenario.story} {scenario.outcome}", highlight=False)
    console.print(pace_says(pace), highlight=False)
    console.print()
    found = play(processes, places, scenario, pace, console)
    if not found:
        console.print(f"“{scenario.name}” ended as it must: {scenario.ending}.", style="green")
        return 0
    console.print(f"“{scenario.name}” did not end as it must:", style="red")
    for problem in found:
        console.print(f"  - {problem}", markup=False, highlight=False)
    return FAILED


def _stay(processes: Processes, console: Console) -> NoReturn:
    """Wait for Ctrl-C, and tell when a part goes away."""
    told = False
    while True:
        processes.check(spare=[LOAD])
        if not told and any(part.name == LOAD for part in processes.ended()):
            told = True
            console.print(
                "The load has stopped after half an hour: a canary started now gets no traffic. "
                "Ctrl-C, and run it again.",
                style="yellow",
            )
        time.sleep(0.5)


def _page_port(options: DemoOptions, console: Console) -> int:
    """The port asked for, or the next free one.

    Raises:
        DemoError: none nearby is free.

    """
    if options.port == 0:
        return free_ports(1)[0]
    if is_free(options.port, options.host):
        return options.port
    last = min(65535, options.port + NEARBY_PORTS)
    for port in range(options.port + 1, last + 1):
        if is_free(port, options.host):
            console.print(
                f"Port {options.port} is in use, so the page is at port {port}.", style="yellow"
            )
            return port
    raise DemoError(
        f"cannot listen on {options.host}, ports {options.port} to {last}: they are in use, or the "
        "address is not this machine's. Choose others with --port and --host"
    )


def _make_folder(scenario: Scenario, *, keep: bool) -> Path:
    if not keep:
        return Path(tempfile.mkdtemp(prefix=f"canary-demo-{scenario.name}-"))
    at = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    folder = Path(".demo").absolute() / f"{scenario.name}-{at}"
    folder.mkdir(parents=True)
    return folder


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let every polite signal end the demo as Ctrl-C does; while it cleans up, ignore them."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """Do nothing; SIG_IGN would complain about a signal that is already on its way."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in numbers:
            signal.signal(number, ignore)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
