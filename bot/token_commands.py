"""What `canary token` takes and prints."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from bot.config import ConfigError, Secrets
from bot.config.units import duration
from bot.ports import PortError

if TYPE_CHECKING:  # it brings the whole bot along
    from bot.tokens import TokenDesk

UNUSABLE: Final = 2
T = TypeVar("T")
Config = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration file.", envvar="CANARY_CONFIG")
]
Name = Annotated[str, typer.Argument(help="For example shop-ci; approvers name it token:shop-ci.")]
DEFAULT_CONFIG: Final = Path("canary.yaml")

app = typer.Typer(
    help="Make, list, rotate and revoke the tokens of the HTTP API.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def create(
    name: Name,
    can: Annotated[
        str, typer.Option(help="Of start,read,abort,decide,freeze; commas between them.")
    ] = "start,read,abort",
    service: Annotated[
        list[str] | None, typer.Option(help="For this service; once for each.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all-services", help="For all, those of tomorrow too.")
    ] = False,
    expires: Annotated[str, typer.Option(help="After so long, for example 90d.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make a token and print its secret, this once."""
    end = _length("--expires", expires)
    services = tuple(service or ())
    secret = _at_desk(config, lambda desk: desk.create(name, services, can, end, every=every))
    _print(secret, f"Keep it now: it is shown this once. Approvers can name it token:{name}.")


@app.command("list")
def listed(config: Config = DEFAULT_CONFIG) -> None:
    """Show every token: what it may, when it was used last, when it expires."""
    from rich.console import Console
    from rich.table import Table

    rows = _at_desk(config, lambda desk: desk.rows())
    if not rows:
        sys.stdout.write("There is no token yet: canary token create NAME --service SERVICE\n")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "can", "services", "created", "last used", "expires"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


@app.command()
def rotate(
    name: Name,
    grace: Annotated[str, typer.Option(help="How long the old secret still counts.")] = "1h",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Give a token a new secret; both count until the grace is over."""
    span = _length("--grace", grace) or timedelta(0)
    secret = _at_desk(config, lambda desk: desk.rotate(name, span))
    _print(secret, f"Keep it now: it is shown this once. The old one counts for {grace} more.")


@app.command()
def revoke(name: Name, config: Config = DEFAULT_CONFIG) -> None:
    """Take a token away; it opens nothing within seconds, without a restart."""
    _at_desk(config, lambda desk: desk.revoke(name))
    sys.stdout.write(f"revoked {name}; every replica knows within 5 s\n")


def _at_desk(config: Path, work: Callable[["TokenDesk"], Awaitable[T]]) -> T:
    from bot.tokens import opened

    async def done() -> T:
        async with opened(config, Secrets()) as desk:
            return await work(desk)

    try:
        return asyncio.run(done())
    except ValidationError:
        _stop("The environment cannot be used; `canary check` says what is wrong with it.")
    except (ConfigError, PortError, ValueError) as error:
        _stop(str(error))


def _length(option: str, text: str) -> timedelta | None:
    try:
        return duration(text) if text else None
    except ValueError as error:
        _stop(f"{option}: {error}")


def _print(secret: str, about: str) -> None:
    """The secret alone to standard output, so that it can be put into a store of secrets."""
    sys.stdout.write(f"{secret}\n")
    sys.stderr.write(f"{about}\n")


def _stop(text: str) -> NoReturn:
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
    raise typer.Exit(UNUSABLE)
