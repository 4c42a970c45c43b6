"""What a pipeline types: start, status, abort, promote, approve, pause, resume, snippet."""

import contextlib
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from bot.config.units import duration

if TYPE_CHECKING:
    from bot.client.running import Where

UNUSABLE: Final = 2
Address = Annotated[
    str, typer.Option("--server", envvar="CANARY_SERVER", help="https://canary.example.com")
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="Instead of the environment's CANARY_TOKEN.")
]
Json = Annotated[bool, typer.Option("--json", help="The canary as JSON to standard output.")]
Target = Annotated[str, typer.Argument(metavar="ID|SERVICE", help="A canary, or a service.")]
Reason = Annotated[str, typer.Option(help="Why; kept with the canary.")]
Wait = Annotated[bool, typer.Option("--wait", help="Show it until it ends.")]
Timeout = Annotated[str, typer.Option(help="How long to wait; the canary goes on after that.")]
OnCancel = Annotated[
    bool, typer.Option("--abort-on-cancel", help="Abort it on SIGTERM and Ctrl-C.")
]

EXITS: Final = """\
Exit codes: 0 promoted (without --wait: started), 1 refused, 2 unusable input, 3 the server cannot
be reached or does not accept the token, 10 rolled back, 11 rejected, 12 not waited for any longer
(the canary goes on), 130 cancelled.
"""


def start(
    service: Annotated[str, typer.Argument(help="A service of the bot's configuration.")],
    revision: Annotated[str, typer.Argument(help="As the service tells it: a tag, a commit.")],
    server: Address = "",
    token_file: TokenFile = None,
    wait: Wait = False,
    timeout: Timeout = "2h",
    abort_on_cancel: OnCancel = False,
    tier: Annotated[
        str, typer.Option(help="Another tier; a lower one waits for an approver.")
    ] = "",
    percent: Annotated[str, typer.Option(help="Another share of the traffic.")] = "",
    window: Annotated[str, typer.Option(help="Another observation window.")] = "",
    reason: Reason = "",
    override: Annotated[str, typer.Option(help="Why, although the service is frozen.")] = "",
    on_behalf_of: Annotated[
        str, typer.Option(help="Slack id (U…) of who has asked; they cannot approve it.")
    ] = "",
    git: Annotated[
        str,
        typer.Option(
            metavar="..HEAD",
            help="Send along what changes from stable to HEAD, of the git repository here. "
            "BASE..HEAD says where it begins.",
        ),
    ] = "",
    label: Annotated[
        list[str] | None, typer.Option(help="Of the change request; once for each.")
    ] = None,
    idempotency_key: Annotated[
        str, typer.Option(help="One key is one canary; this pipeline's run unless told otherwise.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Start a canary from a pipeline, and wait for its end."""
    from bot.client.running import Waiting
    from bot.client.running import start as run

    said = {
        "tier": tier,
        "percent": percent.strip().removesuffix("%").strip(),
        "window": window,
        "reason": reason,
        "override": override,
        "on_behalf_of": on_behalf_of,
    }
    body: dict[str, Any] = {"service": service, "revision": revision}
    body |= {name: value for name, value in said.items() if value}
    waiting = Waiting(wait, _length("--timeout", timeout), abort_on_cancel, as_json)

    def work(where: "Where") -> int:
        sent = _change(where, service, revision, git, tuple(label or ()))
        return run(where, body | sent, waiting, idempotency_key)

    _run(server, token_file, work)


def status(
    target: Annotated[
        str, typer.Argument(metavar="ID|SERVICE", help="Everything that is live, without one.")
    ] = "",
    server: Address = "",
    token_file: TokenFile = None,
    wait: Wait = False,
    timeout: Timeout = "2h",
    abort_on_cancel: OnCancel = False,
    as_json: Json = False,
) -> None:
    """Show a canary; with --wait until it ends."""
    from bot.client import running

    waiting = running.Waiting(wait, _length("--timeout", timeout), abort_on_cancel, as_json)
    if target:
        _run(server, token_file, lambda where: running.follow(where, target, waiting))
    _run(server, token_file, lambda where: running.live(where, as_json=as_json))


def _order(name: str, about: str, *, timed: bool) -> Callable[..., None]:
    """One command an order; `timed` ones take how long."""

    def given(
        target: str, server: str, token_file: Path | None, as_json: bool, **body: str
    ) -> None:
        from bot.client.running import order

        sent = {key: value for key, value in body.items() if value}
        _run(server, token_file, lambda where: order(where, target, name, sent, as_json=as_json))

    def plain(
        target: Target,
        reason: Reason = "",
        server: Address = "",
        token_file: TokenFile = None,
        as_json: Json = False,
    ) -> None:
        given(target, server, token_file, as_json, reason=reason)

    def lasting(
        target: Target,
        length: Annotated[str, typer.Option("--for", help="How long, for example 30m.")] = "",
        server: Address = "",
        token_file: TokenFile = None,
        as_json: Json = False,
    ) -> None:
        given(target, server, token_file, as_json, **{"for": length})

    made: Callable[..., None] = lasting if timed else plain
    made.__doc__ = about
    made.__name__ = name
    return made


def snippet(
    kind: Annotated[str, typer.Argument(help="github-actions, gitlab-ci, jenkins or curl.")],
) -> None:
    """Print what a pipeline needs to start a canary and wait for it."""
    from bot.client.snippets import snippet as text

    try:
        sys.stdout.write(text(kind))
    except ValueError as error:
        _stop(str(error), UNUSABLE)


def register(app: typer.Typer) -> None:
    """Add all of them."""
    app.command(epilog=EXITS)(start)
    app.command(epilog=EXITS)(status)
    orders = (
        ("abort", "Send all traffic back to stable.", False),
        ("promote", "Go on now, or say yes to what is being asked.", False),
        ("approve", "Say yes to what is being asked.", False),
        ("pause", "Hold the weight; it is still judged and rolled back.", True),
        ("resume", "Go on after a pause.", False),
    )
    for name, about, timed in orders:
        app.command(name)(_order(name, about, timed=timed))
    app.command()(snippet)


def _change(
    where: "Where", service: str, revision: str, git: str, labels: tuple[str, ...]
) -> dict[str, Any]:
    if git:
        from bot.client.git import Unsent, change
        from bot.client.running import stable

        try:
            return {"change": change(git, revision, stable(where, service), labels)}
        except Unsent as why:
            sys.stderr.write(
                f"The change is not sent along: {why}. Unless the bot sees it by itself, a person "
                "is asked.\n"
            )
    if labels:  # beside a source of the bot's own they are all that counts
        return {
            "change": {"base": "unknown", "head": revision, "labels": labels, "complete": False}
        }
    return {}


def _run(server: str, token_file: Path | None, work: Callable[["Where"], int]) -> NoReturn:
    from bot.client.running import Where
    from bot.client.talking import Failed

    try:
        raise typer.Exit(int(work(Where(server, token_file))))
    except Failed as error:
        _stop(str(error), error.code)
    except KeyboardInterrupt:
        _stop("cancelled", 130)


def _length(option: str, text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        _stop(f"{option}: {error}", UNUSABLE)


def _stop(text: str, code: int) -> NoReturn:
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
    raise typer.Exit(int(code))
