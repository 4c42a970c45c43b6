"""Commands that look: at what is configured, at past canaries, at a change, at the record."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.common import DEFAULT_CONFIG, Config, secrets, stop
from bot.config import ConfigError
from bot.ports import PortError


def check(
    config: Config = DEFAULT_CONFIG,
    post: Annotated[
        bool, typer.Option("--post", help="Also send a message to each channel and delete it.")
    ] = False,
) -> None:
    """Check the configuration, and ask every adapter, Slack and Redis live."""
    from bot.checkup import State
    from bot.checkup import check as ask_everything

    rows = asyncio.run(ask_everything(config, secrets(), post=post))
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
        again = asyncio.run(judge_again(config, secrets(), canary_id, changes))
    except (ConfigError, PortError, ValueError) as error:
        stop(str(error))
    Console().print(replay_table(again, changes))


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
        stop(str(error))
    Console().print(calibration_table(found))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        stop(f"--set {text}: write it as name=value, for example --set alpha=0.001")
    return name.strip(), value.strip()


def audit(
    since: Annotated[str, typer.Option(help="How long ago, or a date; 30d if unsaid.")] = "",
    until: Annotated[str, typer.Option(help="The same; now if unsaid.")] = "",
    service: Annotated[str, typer.Option(help="Only what concerns this service.")] = "",
    canary: Annotated[str, typer.Option(metavar="ID", help="Only this canary, whole.")] = "",
    looks: Annotated[
        bool, typer.Option("--looks", help="Every entry with all that was read; they are many.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="A new file to write, instead of the terminal.")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Verify an export instead.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Verify what is stored instead.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Export who did what, when, why and on which evidence; or verify that it is whole.

    A canary is kept for 90 days after its end, everything else for good.
    """
    from bot.audit import command

    try:
        if verify is not None:
            export = command.run_verify(verify)
            told, broken = command.told_of_export(verify, export), bool(export.flaws)
        elif check:
            stored = command.run_check(config, secrets())
            told, broken = command.told_of_check(stored), bool(stored.broken)
        else:
            asked = command.Asked(since, until, service, canary, looks)
            sys.stderr.write(f"{command.run_export(config, secrets(), asked, output)}\n")
            return
    except (ConfigError, PortError, ValueError) as error:
        stop(str(error))
    except OSError as error:
        stop(f"{error.filename or 'the output'}: {error.strerror}")
    sys.stdout.write("".join(f"{line}\n" for line in told))
    raise typer.Exit(int(broken))


def classify(
    span: Annotated[
        str, typer.Argument(metavar="BASE..HEAD", help="What is stable, and what is new.")
    ],
    repo: Annotated[Path, typer.Option(help="A folder of the repository.")] = Path(),
    service: Annotated[str, typer.Option(help="Only the folders of this service count.")] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="The configuration file; canary.yaml if there is one.",
            envvar="CANARY_CONFIG",
        ),
    ] = None,
    labels: Annotated[
        list[str] | None, typer.Option("--label", "--labels", help="A label of the pull request.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for a program.")] = False,
    fail_on: Annotated[
        str, typer.Option(metavar="TIER", help="Exit with 1 at this tier and above.")
    ] = "",
) -> None:
    """Say which tier a change of a local repository belongs into, and why."""
    from bot import classify as classifying

    path = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    given = tuple(one.strip() for text in labels or [] for one in text.split(",") if one.strip())
    question = classifying.Question(span, repo, service, path, given)
    try:
        found = asyncio.run(classifying.classify(question, fail_on))
    except (ConfigError, PortError, ValueError) as error:
        stop(str(error))
    if as_json:
        sys.stdout.write(f"{json.dumps(classifying.as_json(found), indent=2)}\n")
    else:
        Console(highlight=False).print(classifying.as_text(found))
    raise typer.Exit(int(bool(fail_on) and found.reaches(fail_on)))
