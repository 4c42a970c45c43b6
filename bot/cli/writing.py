"""Commands that write what is needed to begin: a configuration, and Slack's manifest."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import DEFAULT_CONFIG, stop
from bot.config.example import EXAMPLE


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
        stop(f"--http: {error}")


def init(
    path: Annotated[Path, typer.Argument(help="Where to write it.")] = DEFAULT_CONFIG,
) -> None:
    """Write a first configuration file to edit."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        stop(f"{path} exists already and was left as it is. Name another file: canary init PATH")
    except OSError as error:
        stop(f"{path} cannot be written: {error.strerror}")
    sys.stdout.write(f"wrote {path}. Edit it, then: canary check --config {path}\n")
