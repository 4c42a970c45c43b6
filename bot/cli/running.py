"""Commands that run something: the bot, its guard, the demo."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from bot.cli.common import DEFAULT_CONFIG, Config, secrets, stop
from bot.config import ConfigError, load
from bot.config.secrets import Mode
from bot.ports import PortError

SHORTEST_SILENCE: Final = timedelta(seconds=30)


def serve(config: Config = DEFAULT_CONFIG) -> None:
    """Run the bot until SIGTERM or Ctrl-C."""
    from bot.bootstrap import serve as run
    from bot.logs import set_up_logging

    set_up_logging()
    found = secrets()
    missing = found.missing(_mode(config))
    if missing:
        stop("\n".join(missing))

    _until_told(lambda told: run(config, found, told))


def _mode(config: Path) -> Mode:
    """How Slack is connected, for the tokens that takes; a missing file is complained of later."""
    if not config.exists():
        return "socket"
    try:
        return load(config)[0].slack.mode
    except ConfigError as error:
        stop(str(error))


def _until_told(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run until SIGTERM or Ctrl-C, or until the input proves unusable."""
    from bot.running import run as run_loop

    async def main() -> None:
        told = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, told.set)
        await work(told)

    try:
        run_loop(main())
    except (ConfigError, PortError) as error:
        stop(str(error))


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
        stop(f"--after: {error}")
    if patience < SHORTEST_SILENCE:
        stop("--after: a restart takes seconds; give it at least 30s")
    _until_told(lambda told: run(config, secrets(), patience, told))


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
        stop(f"--window: {error}")
    options = DemoOptions(
        scenario=scenario, headless=headless, window=length, port=port, host=host, keep=keep
    )
    raise typer.Exit(run_demo(options))
