"""What a pipeline sees of `canary start … --wait`: the end in words and in the exit code."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import free_port
from unit.api.apiroom import Planner, Room, room
from world import Outside, a_store

from bot.core.plan import Gate

ROOT = Path(__file__).resolve().parents[3]
SHORT = timedelta(milliseconds=300)


@dataclass
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Typed:
    """A command under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def end(self) -> Ended:
        """Wait for it."""
        async with asyncio.timeout(40):
            out, err = await self.process.communicate()
        assert "Traceback" not in err.decode()
        return Ended(self.process.returncode or 0, out.decode(), err.decode())

    async def says(self, words: str) -> None:
        """Wait until standard error has a line with these words."""
        assert self.process.stderr is not None
        async with asyncio.timeout(30):
            while words not in (await self.process.stderr.readline()).decode():
                assert not self.process.stderr.at_eof(), f"it never said {words}"


async def typed(*words: str, **env: str) -> Typed:
    """Type a command."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CI", "GITHUB", "CANARY"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        env=clean | {"PYTHONPATH": str(ROOT)} | env,
        cwd=env.get("PWD", ROOT),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # A shell's background job, and all that it starts, would never hear a Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    return Typed(process)


async def run(*words: str, **env: str) -> Ended:
    """Type a command and wait for its end."""
    return await (await typed(*words, **env)).end()


@pytest.fixture
async def here() -> AsyncIterator[Room]:
    async with room(planner=Planner(window=SHORT)) as made:
        yield made


async def access(here: Room, **changes: Any) -> dict[str, str]:
    """What the environment of a pipeline holds."""
    header = await here.token(**changes)
    secret = header["Authorization"].partition(" ")[2]
    return {"CANARY_SERVER": str(here.http.base_url), "CANARY_TOKEN": secret}


async def test_a_promotion_ends_with_0(here: Room) -> None:
    """With every step on the way, each once."""
    ended = await run("start", "shop", "v2", "--wait", **await access(here))

    assert ended.code == 0, ended.err
    assert "promoted: shop v2 has all the traffic" in ended.out
    assert ended.err.count("is under observation at 5 %") == 1
    assert "ROLLBACK IS NOT SAFE: db/2.sql:3" in ended.err


async def test_a_rollback_ends_with_10_and_says_which_slo_and_how_sure() -> None:
    """And how much worse."""
    outside = Outside(error_rate=0.5)
    async with room(planner=Planner(window=timedelta(seconds=20)), outside=outside) as here:
        ended = await run("start", "shop", "v2", "--wait", **await access(here))

    assert ended.code == 10, ended.err
    assert "rolled back: all traffic is on v1 again" in ended.out
    assert "Errors: BREACHED (canary 50 %, stable 0 %" in ended.out
    assert "by chance" in ended.out


async def test_a_rejection_ends_with_11(here: Room) -> None:
    """Nothing moved; why not stands there."""
    ended = await run("start", "shop", "v9", "--wait", **await access(here))

    assert ended.code == 11, ended.err
    assert "rejected: shop v9 never carried traffic" in ended.out


async def test_a_wait_that_is_too_long_ends_with_12_and_the_canary_goes_on() -> None:
    """With how to end it, and how to look."""
    gate = Gate(("U0GRACE01",), timedelta(minutes=5))
    async with room(planner=Planner(gate=gate)) as here:
        env = await access(here)
        ended = await run("start", "shop", "v2", "--wait", "--timeout", "1s", **env)

        assert ended.code == 12, ended.err
        assert "Who may say yes: U0GRACE01" in ended.err
        assert "canary abort shop-" in ended.err
        assert len(await here.bot.service.all_live()) == 1


async def test_a_refusal_ends_with_1_and_a_mistake_with_2(here: Room) -> None:
    """Each with what to do."""
    env = await access(here)
    async with room() as other:
        theirs = await access(other)
        await run("start", "shop", "v2", **theirs)
        busy = await run("start", "shop", "v3", **theirs)
    wrong = await run("start", "shap", "v2", **env)

    assert busy.code == 1
    assert "has a live canary" in busy.err
    assert wrong.code == 2
    assert "Did you mean shop" in wrong.err
    assert (await run("start", "shop", "v2", "--timeout", "soon", **env)).code == 2
    assert (await run("start", "shop", "v2", "--git", "nonsense", **env)).code == 2


async def test_a_wrong_token_and_a_server_that_is_away_end_with_3(here: Room) -> None:
    """The token is never shown."""
    env = await access(here)
    wrong = await run("status", **env | {"CANARY_TOKEN": "cnry_wrong"})
    none = await run("status", CANARY_SERVER=env["CANARY_SERVER"])
    nowhere = await run("status", CANARY_TOKEN="cnry_x")

    assert (wrong.code, none.code, nowhere.code) == (3, 3, 2)
    assert "cnry_wrong" not in wrong.err
    assert "CANARY_TOKEN" in none.err
    assert "CANARY_SERVER" in nowhere.err


async def test_a_run_that_is_repeated_goes_on_with_its_canary() -> None:
    """The pipeline's run is the key, without being told."""
    async with room() as here:
        env = await access(here) | {"GITHUB_RUN_ID": "77", "GITHUB_REPOSITORY": "a/b"}
        first = json.loads((await run("start", "shop", "v2", "--json", **env)).out)
        again = await run("start", "shop", "v2", "--json", **env)
        other = await run("start", "shop", "v2", "--json", **env | {"GITHUB_RUN_ID": "78"})

    assert json.loads(again.out)["id"] == first["id"]
    assert "This run has started" in again.err
    assert other.code == 1


async def test_a_run_that_is_done_again_after_a_failure_gets_another_canary() -> None:
    """The same attempt does not; nor does one whose canary was promoted."""
    gate = Gate(("U0GRACE01",), timedelta(minutes=5))
    async with room(planner=Planner(gate=gate)) as here:
        env = await access(here) | {"GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1"}
        first = json.loads((await run("start", "shop", "v2", "--json", **env)).out)
        await run("abort", "shop", **env)
        second = env | {"GITHUB_RUN_ATTEMPT": "2"}
        again = await run("start", "shop", "v2", "--json", **second)
        once_more = await run("start", "shop", "v2", "--json", **second)

    assert json.loads(again.out)["id"] != first["id"]
    assert "run again, so another canary is started" in again.err
    assert json.loads(once_more.out)["id"] == json.loads(again.out)["id"]
    assert "Going on with it" in once_more.err


async def test_what_waits_for_approval_is_not_said_to_have_started() -> None:
    """Nothing moves before."""
    gate = Gate(("U0GRACE01",), timedelta(minutes=5))
    async with room(planner=Planner(gate=gate)) as here:
        waiting = await run("start", "shop", "v2", **await access(here))

    assert waiting.code == 0
    assert "nothing moves before somebody approves it" in waiting.err
    assert "started" not in waiting.err


def git(folder: Path, *commands: str) -> None:
    """Type commands of git's in a repository."""
    who = ("git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-C", str(folder))
    for words in commands:
        subprocess.run([*who, *words.split()], check=True, capture_output=True)


async def test_the_change_since_stable_is_sent_along(here: Room, tmp_path: Path) -> None:
    """The bot says where it begins; where that is no commit here, a person is asked."""
    env = await access(here) | {"PWD": str(tmp_path)}
    git(tmp_path, "init -q", "commit -q --allow-empty -m a", "tag v1")
    (tmp_path / "page.py").write_text("x = 1\n")
    git(tmp_path, "add .", "commit -qm b")
    sent = await run("start", "shop", "v2", "--git", "..HEAD", "--wait", **env)
    change = here.assessor.sent
    git(tmp_path, "tag --delete v1")
    unsent = await run("start", "shop", "v3", "--git", "..HEAD", **env)

    assert sent.code == 0, sent.err
    assert change is not None
    assert (change.base, change.head) == ("v1", "v2")
    assert [file.path for file in change.files] == ["page.py"]
    assert "is not sent along: stable runs v1, which is no commit" in unsent.err
    assert here.assessor.sent is None


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
async def test_whoever_leaves_is_told_that_the_canary_goes_on(signum: int) -> None:
    """130, and how to end it."""
    async with room() as here:
        env = await access(here)
        command = await typed("start", "shop", "v2", "--wait", **env)
        await command.says("under observation")
        command.process.send_signal(signum)
        ended = await command.end()

        assert ended.code == 130
        assert "the canary goes on without us" in ended.err
        assert len(await here.bot.service.all_live()) == 1


async def test_a_cancelled_pipeline_takes_its_canary_along_where_it_is_told_to() -> None:
    """--abort-on-cancel."""
    async with room() as here:
        env = await access(here)
        command = await typed("start", "shop", "v2", "--wait", "--abort-on-cancel", **env)
        await command.says("under observation")
        command.process.send_signal(signal.SIGTERM)
        ended = await command.end()
        (canary,) = await here.bot.service.recent("shop", 1)

        assert ended.code == 130
        assert "aborted" in ended.err
        await here.bot.until(canary.id, lambda each: each.phase.kind == "rolled_back")


async def test_a_restart_of_the_bot_is_waited_out() -> None:
    """Whoever waits comes back by itself, and sees the end."""
    port, store = free_port(), a_store()
    outside = Outside()
    async with room(port=port, store=store, outside=outside) as here:
        env = await access(here)
        tokens, once = here.tokens, here.once
        command = await typed("start", "shop", "v2", "--wait", **env)
        await command.says("under observation")
    await command.says("Trying again")
    from world import Now

    from adapters.stores.access_memory import MemoryRates

    kept = (tokens, once, MemoryRates(Now()))
    async with room(port=port, store=store, outside=outside, access=kept) as here:
        stopped = await run("abort", "shop", "--reason", "enough", **env)
        ended = await command.end()

    assert stopped.code == 0, stopped.err
    assert ended.code == 10, ended.err
    assert "enough" in ended.out


async def test_orders_take_a_service_or_a_canary(here: Room) -> None:
    """Pause for a while, resume, look, abort."""
    async with room() as made:
        env = await access(made)
        begun = json.loads((await run("start", "shop", "v2", "--json", **env)).out)
        await made.bot.until(begun["id"], lambda canary: canary.phase.kind == "observing")
        paused = await run("pause", "shop", "--for", "10m", **env)
        resumed = await run("resume", begun["id"], **env)
        shown = await run("status", "shop", **env)
        everything = await run("status", **env)
        aborted = await run("abort", begun["id"], "--reason", "no", **env)
        nothing = await run("abort", "cart", **env)

    assert [each.code for each in (paused, resumed, shown, everything, aborted)] == [0] * 5
    assert "is paused at 5 %" in paused.out
    assert "under observation" in shown.out
    assert begun["id"] in everything.out
    assert nothing.code == 1
    assert "cart has no live canary" in nothing.err


async def test_in_github_actions_lines_are_folded_and_the_job_has_a_summary(
    here: Room, tmp_path: Path
) -> None:
    """And nothing from outside begins a line of its own."""
    summary = tmp_path / "summary.md"
    env = await access(here) | {
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    ended = await run("start", "shop", "v2", "--wait", **env)

    assert ended.code == 0, ended.err
    assert "::group::shop v2" in ended.err
    assert "::endgroup::" in ended.err
    assert "promoted: shop v2" in summary.read_text()
