"""A finished canary can be judged again from its stream, with the same settings or others."""

from datetime import timedelta

import pytest
from world import Bot, Outside, a_start, a_store

from adapters.stores.codec import observed
from bot.core import judge
from bot.core.canary import Promoted, RolledBack
from bot.core.replay import replay
from bot.rejudge import changed

ID = "shop-abc123"


@pytest.mark.parametrize(("error_rate", "end"), [(0.5, RolledBack), (0.0, Promoted)])
async def test_the_same_settings_give_the_same_verdict_bit_for_bit(
    error_rate: float, end: type[RolledBack | Promoted]
) -> None:
    """What decided is kept whole: the replay's findings equal those of the time."""
    outside, store = Outside(error_rate=error_rate), a_store()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(milliseconds=400)))
    canary = await bot.until(ID, lambda c: c.is_finished)
    await bot.die()

    again = replay(canary.plan.objectives, observed(await store.happenings(ID)))

    assert isinstance(canary.phase, end)
    assert again.verdict == judge.verdict(canary.judge)
    assert (again.breached_at is not None) == (end is RolledBack)


async def test_other_settings_may_give_another_verdict() -> None:
    """A margin wide enough forgives what was a breach."""
    outside, store = Outside(error_rate=0.5), a_store()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    canary = await bot.until(ID, lambda c: c.is_finished)
    await bot.die()
    seen = observed(await store.happenings(ID))

    changes = {"alpha": "0.0000000001", "error_limit": "90%", "judge.looks_to_win": "9"}
    again = replay(changed(canary.plan.objectives, changes), seen)

    assert replay(canary.plan.objectives, seen).breached_at is not None
    assert again.breached_at is None


def test_a_setting_that_does_not_exist_is_answered_with_those_that_do() -> None:
    """Mistyped names get the likely one, impossible values their reason."""
    objectives = a_start().plan.objectives

    with pytest.raises(ValueError, match=r"Did you mean alpha\?"):
        changed(objectives, {"aplha": "0.1"})
    with pytest.raises(ValueError, match="alpha"):
        changed(objectives, {"alpha": "lots"})
    with pytest.raises(ValueError, match=r"Did you mean floor\?"):
        changed(objectives, {"judge.flor": "1.1"})
    with pytest.raises(ValueError, match=r"floor is 0\.5; it must be 1 or more"):
        changed(objectives, {"judge.floor": "0.5"})
