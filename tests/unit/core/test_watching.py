"""The window is the time that was watched, and requests are compared with what the router was asked."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from builders import ARMS, NOON, a_canary, a_plan
from hypothesis import given
from hypothesis import strategies as st

from bot.core.canary import AwaitingDecision, Canary, Observing, Promoting
from bot.core.effects import SetWeight, Tell, Topic
from bot.core.events import Observed
from bot.core.looking import LONGEST_LOOK
from bot.core.machine import Transition, transition
from bot.core.plan import Step, Weight
from bot.core.reading import Counters, Reading
from bot.core.shares import ENOUGH, Share, counted
from bot.core.slo import Arms, Component, NoData, Objectives, Readiness, Sli, Traffic
from bot.core.tuning import Tuning

TICK = timedelta(seconds=10)
FIVE = Weight.percent(5)
READY = Readiness((Component("db", ready=True),))


def observing(window: timedelta) -> Canary:
    """From noon on, with settings that a few requests can satisfy."""
    quick = Tuning(promote_extra=1.0, promote_slow=100.0)
    watched = (Sli.ERRORS, Sli.READINESS)
    objectives = Objectives(watched=watched, warm_up=timedelta(0), tuning=quick)
    plan = a_plan(objectives=objectives, steps=(Step(FIVE, window),), tick=TICK)
    canary = a_canary(
        plan=plan,
        phase=Observing(0, NOON, NOON + window, NOON + window + timedelta(minutes=20)),
        last_look_at=NOON,
        next_look_at=NOON + TICK,
    )
    return replace(canary, judge=replace(canary.judge, objectives=objectives))


def look(canary: Canary, at: datetime, requests: int = 100, share: float = 0.05) -> Transition:
    """What was counted by now, at so many requests a second."""
    assert canary.last_look_at is not None
    seconds = int((at - NOON).total_seconds())
    mine, all_of_them = round(requests * seconds * share), requests * seconds
    reading = Reading(at, {"c": Counters(mine, 0)}, {"s": Counters(all_of_them - mine, 0)})
    split = {ARMS.canary: FIVE, ARMS.stable: Weight(950)}
    seen = Observed(at, canary.last_look_at, reading, NoData("none"), Arms(READY, READY), split)
    move = transition(canary, seen)
    assert isinstance(move, Transition)
    return move


def test_a_window_nobody_watched_does_not_promote() -> None:
    """The bots were dead for most of it: the first look after that ends nothing."""
    canary = observing(timedelta(minutes=5))
    for number in range(1, 4):
        canary = look(canary, NOON + number * TICK).canary
    back = NOON + timedelta(minutes=5)

    canary = look(canary, back).canary

    assert isinstance(canary.phase, Observing)
    silence = back - (NOON + 3 * TICK)
    assert canary.phase.until == NOON + timedelta(minutes=5) + silence
    assert "nobody looked for 270 s" in canary.timeline[-1].text


def test_it_promotes_after_as_much_watching_as_was_planned() -> None:
    """What was missed is watched afterwards, and then it is as healthy as any."""
    canary, at = observing(timedelta(minutes=5)), NOON
    for gap in [1, 1, 1, 20, *([1] * 60)]:
        at += gap * TICK
        canary = look(canary, at).canary
        if not isinstance(canary.phase, Observing):
            break
    assert isinstance(canary.phase, Promoting)
    assert at - NOON == timedelta(minutes=5) + 20 * TICK


def test_a_late_tick_is_no_silence() -> None:
    """A busy bot that looks after three ticks instead of one has watched."""
    canary = look(observing(timedelta(minutes=5)), NOON + LONGEST_LOOK * TICK).canary
    assert isinstance(canary.phase, Observing)
    assert canary.phase.until == NOON + timedelta(minutes=5)


def test_waiting_for_a_person_is_not_made_longer() -> None:
    """A gate's time is the person's, not the judge's."""
    phase = AwaitingDecision(0, "promote", NOON, NOON + timedelta(minutes=30))
    canary = replace(observing(timedelta(minutes=5)), phase=phase)
    assert look(canary, NOON + timedelta(minutes=3)).canary.phase == phase


def told(canary: Canary) -> list[str]:
    return [i.note.detail for i in canary.intents if isinstance(i, Tell)]


@pytest.mark.parametrize(("share", "again"), [(0.2, True), (0.005, False)])
def test_requests_that_do_not_come_as_asked_are_told_once(share: float, again: bool) -> None:
    """Four times too many are asked for once more, too few are only reported."""
    canary, flips = observing(timedelta(hours=1)), 0
    for number in range(1, 60):
        move = look(canary, NOON + number * TICK, share=share)
        canary = move.canary
        flips += sum(isinstance(effect, SetWeight) for effect in move.effects)

    (detail,) = told(canary)
    assert f"{share:.1%}".replace("%", " %") in detail
    assert "asked was 5 %" in detail
    assert flips == int(again)
    assert Topic.DRIFT in {i.note.topic for i in canary.intents if isinstance(i, Tell)}


def test_requests_that_come_about_as_asked_are_no_news() -> None:
    """Health checks and rounding make counters differ from what a router splits."""
    canary = observing(timedelta(hours=1))
    for number in range(1, 60):
        canary = look(canary, NOON + number * TICK, share=0.07).canary
    assert [] == told(canary)


def test_few_requests_prove_nothing() -> None:
    """A hundred requests of one client may all lie on one arm."""
    assert not Share(FIVE, 5, ENOUGH - 1, 0).is_apart
    assert not Share(FIVE, 5, 100, ENOUGH - 100).is_apart


def test_a_new_weight_is_counted_anew_and_its_first_look_left_out() -> None:
    """The first look reaches back to the weight before."""
    traffic = Arms(Traffic(10, 0), Traffic(90, 0))
    share = counted(None, FIVE, traffic)
    assert (share.looks, share.canary) == (1, 0)
    share = counted(share, FIVE, traffic)
    assert (share.canary, share.stable) == (10, 90)
    assert counted(share, FIVE, NoData("away")) == share
    assert counted(share, Weight.percent(50), traffic) == Share(Weight.percent(50), 1)


@given(asked=st.integers(1, 500), requests=st.integers(ENOUGH, 10**7), by=st.floats(0.6, 1.6))
def test_what_lies_within_the_margin_is_never_told(asked: int, requests: int, by: float) -> None:
    """Whatever the weight and the traffic."""
    canary = round(requests * asked / 1000 * by)
    within = 0.5 * asked * requests <= 1000 * canary <= 2 * asked * requests
    share = Share(Weight(asked), 9, canary, max(requests - canary, 0))
    assert not (within and share.is_apart)
