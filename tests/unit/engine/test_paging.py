"""A rollback that the router does not confirm calls the webhook, whatever Slack does."""

import asyncio
from datetime import UTC, datetime, timedelta

from builders import ADA
from world import Bot, Outside, a_start

from adapters.paging.memory import MemoryPager
from adapters.stores.memory import MemoryStore
from bot.core.canary import Observing, RolledBack
from bot.core.commands import Abort
from bot.core.effects import Topic
from bot.core.plan import Escalation

ID = "shop-abc123"


async def test_the_webhook_is_called_although_slack_is_away(store: MemoryStore) -> None:
    """It fails first and is tried again; the alarm names the service, the arm and the trouble."""
    outside, pager = Outside(), MemoryPager(trouble="it is away")
    bot = Bot(outside, store, "one", pager)
    await bot.ownership.beat()
    await bot.service.start(
        a_start(
            window=timedelta(minutes=1), escalation=Escalation(timedelta(milliseconds=50), "U1")
        )
    )
    await bot.until(ID, lambda c: isinstance(c.phase, Observing))
    outside.router_down = outside.slack_down = True

    await bot.service.command(ID, Abort(ADA, datetime.now(UTC)))
    await bot.until(ID, lambda c: any(intent.kind == "page" for intent in c.intents))
    pager.trouble = ""
    async with asyncio.timeout(10):
        while not pager.alarms:
            await asyncio.sleep(0.01)
    outside.router_down = outside.slack_down = False
    canary = await bot.until(ID, lambda c: c.is_finished)
    await bot.die()

    assert isinstance(canary.phase, RolledBack)
    (alarm,) = pager.alarms.values()
    assert alarm.service == "shop"
    assert "the router does not answer" in alarm.text
    assert "all traffic belongs on blue" in alarm.text
    assert ["flip_overdue", "oncall"] == [
        topic.value for topic in outside.topics if topic is not Topic.STARTED
    ][:2]
