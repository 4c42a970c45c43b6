"""The `canary` command."""

import typer

from bot.cli import looking, running, writing
from bot.client import commands as pipeline
from bot.token_commands import app as tokens

app = typer.Typer(
    help="Start, watch and end canary deploys from Slack.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    writing.init,
    writing.manifest,
    looking.check,
    running.serve,
    running.guard,
    running.demo,
    looking.classify,
    looking.replay,
    looking.calibrate,
    looking.audit,
):
    app.command()(command)
app.add_typer(tokens, name="token")
pipeline.register(app)


def main() -> None:
    """Run the command line; errors are sentences, never tracebacks."""
    app()
