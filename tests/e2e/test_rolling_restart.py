"""Two replicas, restarted one after the other, while a canary is judged."""

import asyncio
import itertools
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from ordeal.layout import LOOPBACK, PERCENT, TICK
from ordeal.people import ADA
from ordeal.pieces import BOTS
from ordeal.trial import Stage, on_stage

from adapters.stores.codec import decode_message
from bot.core.canary import Canary, Observing, Promoted, RolledBack
from bot.core.events import Observed
from bot.demo.loopback import get
from bot.ports import Record

pytestmark = [pytest.mark.e2e, pytest.mark.external_service, pytest.mark.timeout(200)]

WINDOW = 30
SLACK_SECONDS = 2


async def test_no_look_is_lost_by_a_rolling_restart(tmp_path: Path) -> None:
    """Each look begins where the last one ended, none is late, and each process leaves in order."""
    async with on_stage(tmp_path, services=1) as stage:
        canary_id = await begin(stage)
        for name in BOTS:
            assert await stage.pieces.leave(name) == 0, stage.pieces.tails()
            stage.pieces.start(name)
            await stage.pieces.ready(name)
        ended = await until(stage, canary_id, lambda canary: canary.is_finished)

        assert isinstance(ended.canary.phase, Promoted), stage.pieces.tails()
        assert ended.epoch > 1
        looks = await looks_at(stage, canary_id)
        assert len(looks) > WINDOW / (TICK + SLACK_SECONDS)
        for before, after in itertools.pairwise(looks):
            assert after.since == before.at, stage.pieces.tails()
            late = after.at - before.at
            assert late <= timedelta(seconds=TICK + SLACK_SECONDS), stage.pieces.tails()


async def test_a_flip_under_way_is_finished_before_leaving(tmp_path: Path) -> None:
    """A rollback that Envoy has not confirmed when SIGTERM comes is confirmed by the same process."""
    async with on_stage(tmp_path, services=1) as stage:
        canary_id = await begin(stage)
        stage.pieces.signal("envoy", signal.SIGSTOP)
        shop = stage.layout.shops[0]
        aborting = stage.people.command(ADA, shop.channel, f"/canary abort {canary_id} enough")
        assert await aborting
        taken = await until(stage, canary_id, lambda canary: canary.asked.permille == 0)
        # Whoever took the abort has the canary from then on.
        owner = next(n for n in BOTS if f"-{stage.pieces[n].process_id}-" in taken.owner)
        leaving = asyncio.create_task(stage.pieces.leave(owner))
        while "bot.stopping" not in stage.pieces[owner].said:
            await asyncio.sleep(0.02)
        stage.pieces.signal("envoy", signal.SIGCONT)

        assert await leaving == 0, stage.pieces.tails()
        _, _, after = stage.pieces[owner].said.partition("bot.stopping")
        assert "flip.confirmed" in after, stage.pieces.tails()
        assert (await stage.watcher.split(shop))["green"] == 0
        ended = await until(stage, canary_id, lambda canary: canary.is_finished)
        assert isinstance(ended.canary.phase, RolledBack)


async def begin(stage: Stage) -> str:
    """Start a canary and wait until it is observed; its id."""
    shop = stage.layout.shops[0]
    for arm, port in shop.ports.items():
        revision = "r1" if arm == "green" else "r0"
        assert get(port, f"/deploy?revision={revision}&fault=none&onset=0", LOOPBACK) is not None
    text = f"/canary start {shop.name} r1 --window {WINDOW}s"
    assert await stage.people.command(ADA, shop.channel, text), stage.pieces.tails()
    async with asyncio.timeout(30):
        while (live := await stage.store.live(shop.name)) is None:
            await asyncio.sleep(0.1)
    canary_id = live.canary.id
    await until(stage, canary_id, lambda canary: isinstance(canary.phase, Observing))
    assert (await stage.watcher.split(shop))["green"] == PERCENT
    return canary_id


async def until(stage: Stage, canary_id: str, is_so: Callable[[Canary], bool]) -> Record:
    """Wait until the record says so."""
    try:
        async with asyncio.timeout(90):
            while (found := await stage.store.load(canary_id)) is None or not is_so(found.canary):
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"it never came to that:\n{stage.pieces.tails()}") from None
    return found


async def looks_at(stage: Stage, canary_id: str) -> list[Observed]:
    """All looks at a canary that count, in the order they were taken.

    A look that no replica of Redis confirmed in time is taken anew, from where it began.
    """
    messages = [decode_message(each.data) for each in await stage.store.happenings(canary_id)]
    looks = [message for message in messages if isinstance(message, Observed)]
    return list({look.since: look for look in looks}.values())
