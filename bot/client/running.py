"""Starting, waiting and ordering, as the command line asks for it."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bot.client import showing, words
from bot.client.pipelines import key_for, key_for_another
from bot.client.talking import Exit, Failed, Server, State, TimedOut, has_ended

ABORT_PATIENCE: Final = 7.0
"""Seconds for an abort as we are told to leave; GitHub Actions and GitLab kill soon after."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which server, with which token."""

    server: str
    token_file: Path | None = None
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def open(self, say: Callable[[str], None], give_up_after: float = 60.0) -> Server:
        """The server; the token comes from the file, or from CANARY_TOKEN."""
        if not self.server:
            raise Failed(
                "Which server? --server https://canary.example.com, or set CANARY_SERVER.",
                Exit.UNUSABLE,
            )
        return Server(self.server, self._token(), say, give_up_after)

    def _token(self) -> str:
        if self.token_file is None:
            found = self.env.get("CANARY_TOKEN", "").strip()
            if found:
                return found
            raise Failed(
                "No token: set CANARY_TOKEN, or name a file with --token-file. `canary token "
                "create NAME` on the bot's machine makes one.",
                Exit.UNREACHABLE,
            )
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"--token-file {self.token_file}: {error}", Exit.UNUSABLE) from error


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whether and how the end is waited for."""

    wait: bool = False
    patience: timedelta = timedelta(hours=2)
    abort_on_cancel: bool = False
    as_json: bool = False


def start(where: Where, body: Mapping[str, Any], waiting: Waiting, key: str = "") -> int:
    """Start a canary and, if asked to, wait for its end; the exit code."""
    view = showing.view(where.env)
    run = body["service"], body["revision"], where.env
    with ending(), where.open(view.say) as server:
        state, is_old = _begun(server, body, key or key_for(*run))
        another = "" if key else key_for_another(*run)
        # An answer that was lost on the way leads here, too, and that canary is this attempt's.
        if is_old and another and _has_failed(state) and not server.had_trouble:
            view.say(
                f"This run has started {state['id']} before, which has ended: {state['summary']}. "
                "It is run again, so another canary is started."
            )
            state, is_old = _begun(server, body, another)
        if is_old:
            what = (
                "It has ended. Another one takes another --idempotency-key."
                if has_ended(state)
                else "Going on with it."
            )
            view.say(f"This run has started {state['id']} before. {what}")
        elif not waiting.as_json:
            view.say(f"{_beginning(state)}; {'; '.join(state['reasons'])}")
        _warn(view, state)
        return _wait(server, view, state, waiting, where.env)


def _begun(server: Server, body: Mapping[str, Any], key: str) -> tuple[State, bool]:
    """The canary of this key, and whether it was there before."""
    answer = server.ask("POST", "/v1/canaries", body=body, headers={"Idempotency-Key": key})
    state: State = answer.json()
    if answer.headers.get("Idempotency-Replayed") != "true":
        return state, False
    return server.ask("GET", _path(state["id"])).json(), True


def _has_failed(state: State) -> bool:
    return has_ended(state) and state["state"] != "promoted"


def _beginning(state: State) -> str:
    what = f"{state['service']} {state['revision']} is {state['id']}, tier {state['tier']}"
    waits = state["waiting_for"] is not None
    return f"{what}: {'nothing moves before somebody approves it' if waits else 'started'}"


def stable(where: Where, service: str) -> str | None:
    """The revision that the bot calls stable; None where it cannot tell."""
    with where.open(_to_stderr) as server:
        found = server.ask("GET", f"/v1/services/{quote(service, safe='')}").json()
    told: str | None = found["stable_revision"]
    return told


def follow(where: Where, target: str, waiting: Waiting) -> int:
    """Show a canary and, if asked to, wait for its end; the exit code."""
    view = showing.view(where.env)
    with ending(), where.open(view.say) as server:
        return _wait(server, view, _found(server, target), waiting, where.env)


def live(where: Where, *, as_json: bool) -> int:
    """Show everything that is live."""
    with where.open(_to_stderr) as server:
        found = server.ask("GET", "/v1/canaries", query={"live": "true"}).json()["canaries"]
    if as_json:
        _print(found)
    else:
        lines = [showing.headline(state) for state in found] or ["nothing is live"]
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def order(where: Where, target: str, name: str, body: Mapping[str, Any], *, as_json: bool) -> int:
    """Abort, promote, approve, pause, resume or extend; what became of it."""
    with where.open(_to_stderr) as server:
        state = _found(server, target)
        path = f"{_path(state['id'])}/{name}"
        if name in {"promote", "approve"}:
            body = {**body, **_seen(state)}
        state = server.ask("POST", path, body=body).json()
    if as_json:
        _print(state)
    else:
        sys.stdout.write(f"{name}: {showing.headline(state)}\n")
    return 0


def _seen(state: State) -> dict[str, Any]:
    """What is meant, so that a request whose answer was lost does not count twice."""
    asked = state["waiting_for"]
    seen = {"step": state["step"], "question": asked["question"] if asked else None}
    return {name: value for name, value in seen.items() if value is not None}


def _wait(
    server: Server, view: showing.View, state: State, waiting: Waiting, env: Mapping[str, str]
) -> int:
    if not waiting.wait:
        _tell(state, waiting)
        return 0
    until = time.monotonic() + waiting.patience.total_seconds()
    try:
        for each in server.follow(state["id"], state, until):
            state = each
            view.show(state)
    except TimedOut:
        view.close()
        _tell(state, waiting)
        _to_stderr(
            f"not waited for any longer, after {waiting.patience}: the canary goes on, and is "
            f"judged on. {_how(state)}"
        )
        return Exit.TIMED_OUT
    except KeyboardInterrupt:
        view.close()
        return _cancelled(server, state, waiting)
    finally:
        view.close()
    showing.summarise(state, env)
    _tell(state, waiting)
    return words.exit_of(state)


def _cancelled(server: Server, state: State, waiting: Waiting) -> int:
    if not waiting.abort_on_cancel:
        _to_stderr(f"\nleft: the canary goes on without us. {_how(state)}")
        return Exit.CANCELLED
    _to_stderr(f"\naborting {state['id']} …")
    server.give_up_after = ABORT_PATIENCE
    body = {"reason": "the pipeline that has started it was cancelled"}
    server.ask("POST", f"{_path(state['id'])}/abort", body=body)
    _to_stderr(f"aborted: the traffic of {state['service']} goes back to stable")
    return Exit.CANCELLED


def _how(state: State) -> str:
    return f"To end it: canary abort {state['id']}. To look: canary status {state['id']} --wait."


def _tell(state: State, waiting: Waiting) -> None:
    if waiting.as_json:
        _print(state)
        return
    if has_ended(state):
        lines = words.ended(state)
    else:
        asked = state["waiting_for"]
        lines = [showing.headline(state), *(f"  {words.line_of(slo)}" for slo in state["slos"])]
        lines += [f"  it {words.question(asked)}"] if asked else []
        link = state["links"].get("message")
        lines += [f"  in Slack: {link}"] if link else []
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _warn(view: showing.View, state: State) -> None:
    """A rollback that is not safe is known before it is needed."""
    if state["rollback_safe"] is False:
        bad = [one for one in state["statements"] if one["impact"] == "not_additive"]
        for one in bad[:3]:
            instead = f" Instead: {one['way_out']}" if one["way_out"] else ""
            view.say(f"ROLLBACK IS NOT SAFE: {one['path']}:{one['line']}: {one['why']}{instead}")


def _found(server: Server, target: str) -> State:
    """A canary by its id, or the live one of a service."""
    query = {"service": target, "live": "true"}
    try:
        state: State = server.ask("GET", _path(target)).json()
    except Failed as no:
        if no.code is not Exit.UNUSABLE:
            raise
        try:
            found = server.ask("GET", "/v1/canaries", query=query).json()["canaries"]
        except Failed as neither:
            if neither.code is not Exit.UNUSABLE:
                raise
            raise Failed(
                f"{target} is neither a canary's id nor a service: {neither}", Exit.UNUSABLE
            ) from None
        if not found:
            raise Failed(f"{target} has no live canary.", Exit.REFUSED) from None
        state = found[0]
    return state


def _path(canary_id: str) -> str:
    return f"/v1/canaries/{quote(canary_id, safe='')}"


def _print(found: Any) -> None:
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def ending() -> Iterator[None]:
    """SIGTERM is a Ctrl-C: most pipelines cancel with it."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
