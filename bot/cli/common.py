"""What every command has: the configuration file, the secrets, and errors as sentences."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from pydantic import ValidationError

from bot.config import Secrets

UNUSABLE: Final = 2
"""Exit code for input that cannot be used; 1 is for a job that failed."""

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="CANARY_CONFIG")
]
DEFAULT_CONFIG: Final = Path("canary.yaml")


def secrets() -> Secrets:
    """The environment's; one that cannot be used ends the command."""
    try:
        return Secrets()
    except ValidationError as error:
        names = ", ".join(str(found["loc"][0]).upper() for found in error.errors())
        stop(f"The environment cannot be used: {names} is not what it should be.")


def stop(text: str) -> NoReturn:
    """Say why nothing was done, and leave."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
    raise typer.Exit(UNUSABLE)
