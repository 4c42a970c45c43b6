"""A clock that is set back, or a timer that is lost, neither stops looking nor a rollback."""

from dataclasses import replace
from datetime import datetime, timedelta

from builders import ADA, ARMS, NOON, a_canary

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Observing,
    PendingApproval,
    RollingBack,
)
from bot.core.commands import Abort
from bot.core.effects import Observe, SetWeight
from bot.core.events import Observed, ShiftFailed, Ticked
from bot.core.machine import Transition, transition
from bot.core.moves import is_overdue
from bot.core.plan import ZERO, Weight
from bot.core.reading import Counters, Reading, Tally, advance
from bot.core.slo import Arms, NoData, Traffic

HOUR, TICK = timedelta(hours=1), timedelta(seconds=10)
NOTHING = NoData("not asked")


def moved(canary: Canary, message: Ticked | Observed | ShiftFailed | Abort) -> Transition:
    move = transition(canary, message)
    assert isinstance(move, Transition)
    return move


def test_looking_goes_on_when_the_clock_was_set_back() -> None:
    """The next look is a tick away, not an hour, and covers the time since."""
    at = NOON - HOUR + timedelta(minutes=5)
    canary = a_canary()
    assert is_overdue(canary, at)

    first = moved(canary, Ticked(at))
    second = moved(first.canary, Ticked(at + TICK))

    assert first.effects == ()
    assert second.effects == (Observe(ARMS, at),)
    seen = Observed(at + TICK, at, NOTHING, NOTHING, NOTHING, {})
    assert moved(second.canary, seen).canary.judge.looks == canary.judge.looks + 1


def test_neither_the_window_nor_a_persons_time_grows_with_the_clock() -> None:
    """What had fifteen minutes left has about fifteen minutes left."""
    at = NOON - HOUR + timedelta(minutes=5)
    observing = moved(a_canary(), Ticked(at)).canary.phase
    assert isinstance(observing, Observing)
    left = timedelta(minutes=15)
    assert abs(observing.until - at - left) <= TICK
    assert abs(observing.deadline - at - left - timedelta(minutes=20)) <= TICK

    asked = AwaitingDecision(0, "promote", NOON, NOON + timedelta(minutes=20))
    waiting = moved(a_canary(phase=asked), Ticked(at)).canary.phase
    assert isinstance(waiting, AwaitingDecision)
    assert abs(waiting.expires_at - at - left) <= TICK


def test_a_rollback_is_tried_again_when_the_clock_was_set_back() -> None:
    """What had to wait for seconds does not wait for an hour."""
    back = moved(a_canary(), Abort(ADA, NOON)).canary
    failed = moved(back, ShiftFailed(NOON, ZERO, "refused")).canary
    assert isinstance(failed.phase, RollingBack)
    assert moved(failed, Ticked(NOON)).effects == ()

    assert is_overdue(failed, NOON - HOUR)
    again = moved(failed, Ticked(NOON - HOUR))

    assert again.effects == (SetWeight(ARMS, ZERO),)


def test_what_waits_for_a_person_is_not_overdue() -> None:
    """An hour to decide is an hour, whoever looks at the clock."""
    waiting = a_canary(
        phase=PendingApproval(NOON, NOON + HOUR), next_look_at=None, last_look_at=None
    )

    assert not is_overdue(waiting, NOON)
    assert is_overdue(waiting, NOON + HOUR + 2 * TICK)


def test_a_timer_that_was_lost_is_overdue() -> None:
    """A look that should have been taken long ago is due."""
    canary = a_canary()
    assert canary.next_look_at is not None

    assert not is_overdue(canary, canary.next_look_at)
    assert is_overdue(canary, canary.next_look_at + 2 * TICK)


def reading(at: datetime, canary: int, stable: int) -> Reading:
    return Reading(at, {"c": Counters(canary, 0)}, {"s": Counters(stable, 0)})


def test_counters_that_go_on_count_though_their_clock_does_not() -> None:
    """After a clock was set back its time is older, and what it tells is new all the same."""
    tally, _ = advance(None, reading(NOON, 100, 1900))

    tally, traffic = advance(tally, reading(NOON - HOUR, 150, 2850))

    assert traffic == Arms(Traffic(50), Traffic(950))
    assert tally is not None
    assert tally.at == NOON - HOUR


def test_a_source_that_lags_behind_adds_nothing() -> None:
    """Another replica of the metrics server that shows older counters is no restart."""
    tally, _ = advance(None, reading(NOON, 100, 1900))

    after, traffic = advance(tally, reading(NOON - TICK, 90, 1710))

    assert traffic == Arms(Traffic(), Traffic())
    assert after == tally
    assert isinstance(after, Tally)


def test_a_cause_is_kept_over_a_clock_set_back() -> None:
    """Time may go back; what was decided does not."""
    back = a_canary(phase=RollingBack(Cause("abort", "aborted by ada", ADA), NOON), asked=ZERO)

    later = moved(replace(back, next_look_at=None), Ticked(NOON - HOUR)).canary

    assert later.phase == back.phase
    assert later.target == ZERO != Weight.percent(5)
