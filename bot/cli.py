"""The `canary` command: serve, guard, demo, check, init, manifest and others."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.config import ConfigError, Secrets, load
from bot.config.example import EXAMPLE
from bot.config.secrets import Mode
from bot.ports import PortError

UNUSABLE: Final = 2
"""Exit code for input that cannot be used; 1 is for a job that failed."""

app = typer.Typer(
    help="Start, watch and end canary deploys from Slack.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Config = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="CANARY_CONFIG")
]
DEFAULT_CONFIG: Final = Path("canary.yaml")
SHORTEST_SILENCE: Final = timedelta(seconds=30)


@app.command()
def serve(config: Config = DEFAULT_CONFIG) -> None:
    """Run the bot until SIGTERM or Ctrl-C."""
    from bot.bootstrap import serve as run
    from bot.logs import set_up_logging

    set_up_logging()
    secrets = _secrets()
    missing = secrets.missing(_mode(config))
    if missing:
        _stop("\n".join(missing))

    _until_told(lambda stop: run(config, secrets, stop))


def _mode(config: Path) -> Mode:
    """How Slack is connected, for the tokens that takes; a missing file is complained of later."""
    if not config.exists():
        return "socket"
    try:
        return load(config)[0].slack.mode
    except ConfigError as error:
        _stop(str(error))


def _until_told(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run until SIGTERM or Ctrl-C, or until the input proves unusable."""
    from bot.running import run as run_loop

    async def main() -> None:
        stop = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        await work(stop)

    try:
        run_loop(main())
    except (ConfigError, PortError) as error:
        _stop(str(error))


@app.command()
def guard(
    config: Config = DEFAULT_CONFIG,
    after: Annotated[str, typer.Option(help="How long all replicas must be silent.")] = "2m",
) -> None:
    """Beside a router: take canaries to 0 % when no replica of the bot is left alive."""
    from bot.bootstrap import guard as run
    from bot.config.units import duration
    from bot.logs import set_up_logging

    set_up_logging()
    try:
        patience = duration(after)
    except ValueError as error:
        _stop(f"--after: {error}")
    if patience < SHORTEST_SILENCE:
        _stop("--after: a restart takes seconds; give it at least 30s")
    _until_told(lambda stop: run(config, _secrets(), patience, stop))


@app.command()
def check(
    config: Config = DEFAULT_CONFIG,
    post: Annotated[
        bool, typer.Option("--post", help="Also send a message to each channel and delete it.")
    ] = False,
) -> None:
    """Check the configuration, and ask every adapter, Slack and Redis live."""
    from bot.checkup import State
    from bot.checkup import check as ask_everything

    rows = asyncio.run(ask_everything(config, _secrets(), post=post))
    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    styles = {State.OK: "green", State.NOTE: "yellow", State.FAILED: "bold red"}
    for row in rows:
        table.add_row(row.what, Text(row.state.value, styles[row.state]), Text(row.text))
    console.print(table)
    failed = sum(row.state is State.FAILED for row in rows)
    if failed:
        console.print(f"\n{failed} of {len(rows)} do not work yet.", style="bold red")
        raise typer.Exit(1)
    console.print("\neverything that was asked works", style="green")


@app.command()
def demo(
    scenario: Annotated[str, typer.Option(help="What the new revision does.")] = "healthy",
    headless: Annotated[bool, typer.Option("--headless", help="No page: play it here.")] = False,
    window: Annotated[str, typer.Option(help="The observation window.")] = "60s",
    port: Annotated[int, typer.Option(help="The page's port.", min=0, max=65535)] = 3333,
    host: Annotated[str, typer.Option(help="The page's address.")] = "127.0.0.1",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep all files in .demo/ for a look afterwards.")
    ] = False,
) -> None:
    """Run everything on this machine: router, service, load, a local Slack, the bot."""
    from bot.config.units import duration
    from bot.demo import DemoOptions
    from bot.demo import run as run_demo

    try:
        length = duration(window)
    except ValueError as error:
        _stop(f"--window: {error}")
    options = DemoOptions(
        scenario=scenario, headless=headless, window=length, port=port, host=host, keep=keep
    )
    raise typer.Exit(run_demo(options))


@app.command()
def replay(
    canary_id: Annotated[str, typer.Argument(metavar="ID", help="As `/canary list` shows it.")],
    config: Config = DEFAULT_CONFIG,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another SLO setting, for example --set alpha=0.001."),
    ] = None,
) -> None:
    """Judge a finished canary again from what was read then, with the same or other settings."""
    from bot.rejudge import judge_again
    from bot.tables import replay_table

    changes = dict(_pair(one) for one in setting or [])
    try:
        again = asyncio.run(judge_again(config, _secrets(), canary_id, changes))
    except (ConfigError, PortError, ValueError) as error:
        _stop(str(error))
    Console().print(replay_table(again, changes))


@app.command()
def calibrate(
    service: Annotated[str, typer.Argument(help="A service of the configuration.")],
    since: Annotated[str, typer.Option(help="How far back the history is used.")] = "7d",
    windows: Annotated[int, typer.Option(help="How many windows to judge.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="Another one draws other windows.")] = 1,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Judge stable against itself: how often is a healthy canary rolled back."""
    from bot.calibrate import calibrate as run_trials
    from bot.config.units import duration
    from bot.tables import calibration_table

    try:
        span = duration(since)
        found = asyncio.run(run_trials(config, service, span, windows, seed))
    except (ConfigError, PortError, ValueError) as error:
        _stop(str(error))
    Console().print(calibration_table(found))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        _stop(f"--set {text}: write it as name=value, for example --set alpha=0.001")
    return name.strip(), value.strip()


@app.command()
def manifest(
    http: Annotated[
        str,
        typer.Option(
            "--http",
            metavar="URL",
            help="For HTTP mode: where Slack reaches the bot, for example https://canary.example.com",
        ),
    ] = "",
) -> None:
    """Print the manifest from which Slack makes the app."""
    from bot.slack.manifest import manifest as text

    try:
        sys.stdout.write(text(http))
    except ValueError as error:
        _stop(f"--http: {error}")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = DEFAULT_CONFIG,
) -> None:
    """Write a first configuration file to edit."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        _stop(f"{path} exists already and was left as it is. Name another file: canary init PATH")
    except OSError as error:
        _stop(f"{path} cannot be written: {error.strerror}")
    sys.stdout.write(f"wrote {path}. Edit it, then: canary check --config {path}\n")


def _secrets() -> Secrets:
    try:
        return Secrets()
    except ValidationError as error:
        names = ", ".join(str(found["loc"][0]).upper() for found in error.errors())
        _stop(f"The environment cannot be used: {names} is not what it should be.")


def _stop(text: str) -> NoReturn:
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
    raise typer.Exit(UNUSABLE)


def main() -> None:
    """Run the command line; errors are sentences, never tracebacks."""
    app()


if __name__ == "__main__":
    main()
