"""By Socket Mode or by HTTP, with two replicas: no click is done twice or lost in silence."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from replicas import LINUS, NAMES, Json, Mode, Town, town
from servers import wait_until

from bot.core.canary import Canary, Observing, PendingApproval, RolledBack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BOTH = pytest.mark.parametrize("mode", ["socket", "http"])


@BOTH
async def test_a_canary_is_started_approved_and_aborted_in_either_mode(
    mode: Mode, tmp_path: Path
) -> None:
    """By command and by clicks; who may not approve is told so privately, and nothing changes."""
    async with town(mode, tmp_path) as here:
        canary = await here.begin("--tier risky", PendingApproval)
        assert (await here.click(canary, "canary_approve", "linus"))["ok"]
        await wait_until(lambda: "You may not approve" in "".join(here.private(LINUS)), "refusal")
        assert isinstance((await here.until(lambda _: True)).phase, PendingApproval)
        assert (await here.click(canary, "canary_approve", "grace"))["ok"]
        await here.until(lambda canary: isinstance(canary.phase, Observing))
        assert (await here.click(canary, "canary_abort", "linus"))["ok"]
        ended = await here.until(lambda canary: isinstance(canary.phase, RolledBack))

        (abort,) = await here.aborts(ended)
        assert abort.by.id == LINUS
        counts = here.workspace.workspace.counts
        assert (counts.unacknowledged, counts.undelivered) == (0, 0), here.tails()
        if mode == "http":
            kinds = {headers.get("Content-Type") for _, headers in here.entrance.asked}
            assert kinds == {"application/x-www-form-urlencoded"}
            for name in NAMES:
                assert "slack.socket" not in here.bots[name].output


@BOTH
async def test_after_kill_9_of_a_replica_the_next_click_is_done_or_seen_as_an_error(
    mode: Mode, tmp_path: Path
) -> None:
    """The one that worked on the canary is gone; its person tries until no error is shown."""
    async with town(mode, tmp_path) as here:
        canary = await here.begin("", Observing)
        record = await here.store.load(canary.id)
        assert record is not None
        owner = next(n for n in NAMES if f"-{here.bots[n].process.pid}-" in record.owner)
        here.bots[owner].kill()
        async with asyncio.timeout(30):
            while not (answer := await here.click(canary, "canary_abort", "linus"))["ok"]:
                assert "shown" in answer, answer
        ended = await here.until(lambda canary: isinstance(canary.phase, RolledBack))

        assert {abort.by.id for abort in await here.aborts(ended)} == {LINUS}


async def click_on(here: Town, canary: Canary, meanwhile: Callable[[], Awaitable[object]]) -> None:
    """Somebody who may not approve clicks again and again while something happens.

    Each click that was taken is answered by one private refusal, which is how it is counted.
    """
    going = asyncio.ensure_future(meanwhile())
    clicks: list[asyncio.Task[Json]] = []
    while not going.done() or len(clicks) < 60:
        clicks.append(asyncio.create_task(here.click(canary, "canary_approve", "linus")))
        await asyncio.sleep(0.05)
    await going
    answers = await asyncio.gather(*clicks)
    taken = sum(answer["ok"] for answer in answers)
    shown = [answer["shown"] for answer in answers if not answer["ok"]]

    def refused() -> int:
        return sum("You may not approve" in text for text in here.private(LINUS))

    def restarted() -> int:
        return sum("being restarted" in text for text in here.private(LINUS))

    counted = f"{len(answers)} clicks, {taken} taken, {len(shown)} errors"
    await wait_until(lambda: refused() + restarted() >= taken, f"answers; {counted}", 20)
    assert taken, f"{counted}\n{here.tails()}"
    assert refused() <= len(answers), f"{counted}, {refused()} refused"
    if not shown and not restarted():
        assert refused() == len(answers), f"{counted}, {refused()} refused"
    assert isinstance((await here.until(lambda _: True)).phase, PendingApproval)


@pytest.mark.parametrize("how", ["refresh", "warning", "drop", "cut"])
async def test_reconnects_lose_no_click(how: str, tmp_path: Path) -> None:
    """With connections ended one after the other, each click is answered once, or is an error."""
    async with town("socket", tmp_path) as here:
        canary = await here.begin("--tier risky", PendingApproval)

        async def end_some() -> None:
            for most in (1, 2, 1):
                await here.people.do("disconnect", how=how, most=most)
                await asyncio.sleep(0.4)

        await click_on(here, canary, end_some)
        async with asyncio.timeout(30):  # torn connections are noticed by the next ping
            while not (await here.click(canary, "canary_approve", "linus"))["ok"]:
                await asyncio.sleep(0.1)
        counts = here.workspace.workspace.counts
        if how in {"refresh", "warning"}:
            assert (counts.unacknowledged, counts.undelivered) == (0, 0), here.tails()


@BOTH
async def test_a_rolling_restart_ends_no_click_in_silence(mode: Mode, tmp_path: Path) -> None:
    """Both replicas are restarted while somebody clicks: answered, or shown as an error."""
    async with town(mode, tmp_path) as here:
        canary = await here.begin("--tier risky", PendingApproval)

        async def restart_all() -> None:
            for name in NAMES:
                await here.restart(name)

        await click_on(here, canary, restart_all)


async def test_a_replica_knows_a_replay_and_the_other_finds_nothing_to_do(tmp_path: Path) -> None:
    """A signed abort, caught and sent again to both: neither does it a second time."""
    async with town("http", tmp_path) as here:
        canary = await here.begin("", Observing)
        assert (await here.click(canary, "canary_abort", "linus"))["ok"]
        ended = await here.until(lambda canary: isinstance(canary.phase, RolledBack))
        body, headers = here.entrance.asked[-1]
        for name, _ in itertools.product(NAMES, range(2)):
            assert (await here.entrance.send(here.ports[name], body, headers)).status == 200
        forged = headers | {"X-Slack-Signature": "v0=" + "0" * 64}
        assert (await here.entrance.send(here.ports["a"], body, forged)).status == 401

        await wait_until(lambda: len(here.private(LINUS)) == 1, "the other one's refusal")
        assert len(await here.aborts(ended)) == 1
        repeated = [here.bots[name].output.count("slack.http.repeated") for name in NAMES]
        assert sorted(repeated) == [1, 2]


async def test_a_replica_whose_port_is_taken_says_so_and_ends(tmp_path: Path) -> None:
    """Exit code 2 and one sentence with the setting, instead of a bot that nobody can reach."""
    async with town("http", tmp_path) as here:
        first = here.bots["a"]
        here.start("a")
        second = here.bots["a"]
        try:
            await wait_until(lambda: not second.is_running, "it ends", 30)
        finally:
            await here.stop()
            here.bots["a"] = first
        assert second.process.returncode == 2
        assert "choose another one with slack.listen" in second.output
        assert "Traceback" not in second.output
