"""Approvals are counted by person, and a window ends early or late only as far as it may."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import ADA, ARMS, GRACE, NOON, a_canary, a_plan
from unit.core.windows import Arm, Moment, window

from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Cause,
    Observing,
    Paused,
    PendingApproval,
    Preparing,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.core.commands import Abort, Approve, Extend, Pause, Promote, Question, Resume, Start
from bot.core.deciding import LONGEST
from bot.core.effects import SetWeight, Tell, Topic
from bot.core.events import Observed, Ticked, WeightApplied
from bot.core.looking import taken
from bot.core.machine import Refused, Transition, begin, transition
from bot.core.plan import ANYONE, FULL, Actor, Approval, Gate, Plan, Step, Weight
from bot.core.shares import Share
from bot.core.slo import NoData, Objectives, Sli
from bot.core.tuning import Tuning

LIN = Actor("U0LIN00001", "lin", ("S0APPROVE",))
TWO = Gate(("S0APPROVE", ADA.id), timedelta(minutes=30), needed=2)
NOT_ADA = replace(TWO, needed=1, author=False)
STEPS = tuple(Step(Weight.percent(percent), timedelta(minutes=20)) for percent in (5, 25))
QUESTIONS: tuple[Question, ...] = ("promote", "thin", "blind")
SURE = Objectives(watched=(Sli.ERRORS,), warm_up=timedelta(0), tuning=Tuning(promote_extra=1.0))
BAD = replace(Arm(), error_rate=0.5)


def moved(canary: Canary, message: Any) -> Transition:
    move = transition(canary, message)
    assert isinstance(move, Transition), move
    return move


def refused(canary: Canary, message: Any) -> str:
    answer = transition(canary, message)
    assert isinstance(answer, Refused), answer
    return answer.reason


def flips(move: Transition) -> list[Weight]:
    return [effect.weight for effect in move.effects if isinstance(effect, SetWeight)]


def told(move: Transition, topic: Topic) -> list[str]:
    return [
        effect.note.detail
        for effect in move.effects
        if isinstance(effect, Tell) and effect.note.topic is topic
    ]


def asked(question: Question, gate: Gate = TWO, step: int = 1, **changes: Any) -> Canary:
    """A question since noon, open for half an hour, in a plan of two steps."""
    plan = a_plan(steps=STEPS, decision=gate, promote_gate=gate)
    phase = AwaitingDecision(step, question, NOON, NOON + gate.timeout)
    return a_canary(plan=plan, phase=phase, **changes)


def pending(gate: Gate = TWO) -> Canary:
    start = Start("shop-1", "shop", "v2", a_plan(start_gate=gate), "C0DEPLOYS", ADA, NOON)
    return begin(start).canary


def proven(plan: Plan | None = None, phase: Any = None, **changes: Any) -> Canary:
    """A canary in the middle of its window of whose health the judge is sure."""
    plan = plan or a_plan(objectives=SURE, steps=STEPS)
    memory, tally = judge.begin(plan.objectives), None
    for one in window([Moment(Arm(400), Arm(7600))] * 40):
        assert isinstance(one, Observed)
        new = taken(tally, memory, one)
        memory, tally = new.memory, new.tally
    at = NOON + timedelta(minutes=20)
    phase = phase or Observing(0, NOON, at, at + timedelta(minutes=20))
    seen = {"share": Share(Weight.percent(5), 40, 40 * 400, 40 * 7600), **changes}
    return a_canary(plan=plan, phase=phase, judge=memory, tally=tally, **seen)


def of_two(gate: Gate = TWO) -> Plan:
    return a_plan(objectives=SURE, steps=STEPS, decision=gate)


# Gates.


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_gate_of_two_opens_for_two_different_people(question: Question) -> None:
    """The first yes is told and kept, the second one acts, and both are on the timeline."""
    first = moved(asked(question), Approve(GRACE, NOON, question, 1))
    assert [] == flips(first)
    assert ["approved the promotion (1 of 2)"] == told(first, Topic.DECIDED)
    assert isinstance(first.canary.phase, AwaitingDecision)
    assert (Approval(GRACE, NOON),) == first.canary.phase.approvals

    second = moved(first.canary, Approve(LIN, NOON, question, 1))

    assert isinstance(second.canary.phase, Promoting)
    assert [FULL] == flips(second)
    assert isinstance(second.effects[0], SetWeight), "traffic comes before words"
    assert {GRACE, LIN} <= {entry.by for entry in second.canary.timeline}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_person_counts_once(question: Question) -> None:
    """A second click of the same person is refused, under another name or in other groups too."""
    once = moved(asked(question), Approve(GRACE, NOON)).canary
    again = replace(GRACE, name="somebody else", groups=("S0APPROVE", "S0OTHER"))

    reason = refused(once, Approve(again, NOON))

    assert "each person counts once" in reason
    assert "one more person" in reason


def test_a_start_gate_of_two_opens_for_two() -> None:
    """Nothing is prepared after the first yes, everything after the second."""
    one = moved(pending(), Approve(ADA, NOON, "start"))
    assert isinstance(one.canary.phase, PendingApproval)
    assert ["approved the start (1 of 2)"] == told(one, Topic.DECIDED)
    assert "counts once" in refused(one.canary, Approve(ADA, NOON, "start"))

    assert isinstance(moved(one.canary, Approve(GRACE, NOON, "start")).canary.phase, Preparing)


@pytest.mark.parametrize("question", QUESTIONS)
def test_whoever_started_it_is_refused_where_another_is_wanted(question: Question) -> None:
    """It is said why, who may, and that an abort is always possible."""
    reason = refused(asked(question, NOT_ADA), Approve(ADA, NOON, question, 1))

    assert "You started shop v2" in reason
    assert "somebody else" in reason
    assert "S0APPROVE" in reason
    assert "abort it at any time" in reason


def test_whoever_started_it_may_not_approve_the_start_either() -> None:
    """Where another is wanted; anyone else may."""
    gate = Gate((ANYONE,), timedelta(minutes=5), author=False)
    waiting = pending(gate)
    assert "anyone else in this workspace" in refused(waiting, Approve(ADA, NOON))
    assert isinstance(moved(waiting, Approve(LIN, NOON)).canary.phase, Preparing)


def test_whoever_started_it_may_not_end_its_window_either() -> None:
    """Ending it early is a yes as well."""
    canary = proven(of_two(NOT_ADA))
    assert "You started" in refused(canary, Promote(ADA, NOON))
    assert isinstance(moved(canary, Promote(GRACE, NOON)).canary.phase, Shifting)


@pytest.mark.parametrize(
    "by",
    [
        Actor("token:ci", "ci", groups=("S0APPROVE",)),
        Actor("U0ADA0001", "ada", groups=("S0APPROVE",)),
        Actor("U0LIN0001", "lin", groups=("S0APPROVE",), via="token:ci"),
    ],
)
def test_what_a_token_starts_for_a_person_neither_may_approve(by: Actor) -> None:
    """Nor the token in another person's name."""
    started = Actor("U0ADA0001", "ada", via="token:ci")
    gate = Gate(("S0APPROVE", "token:ci"), timedelta(minutes=5), author=False)
    canary = replace(asked("promote", gate), started_by=started)
    answer = transition(canary, Approve(by, NOON))
    assert isinstance(answer, Refused)


def test_anyone_means_people() -> None:
    """A machine decides where it is named, and never in the name of a person it mentions."""
    token, spoken_for = Actor("token:ci", "ci"), Actor("U0LIN0001", "lin", via="token:ci")
    anyone = Gate((ANYONE,), timedelta(minutes=5))
    assert anyone.admits(LIN)
    assert not anyone.admits(token)
    assert not anyone.admits(spoken_for)
    assert not Gate(("U0LIN0001",), timedelta(minutes=5)).admits(spoken_for)
    assert Gate(("token:ci",), timedelta(minutes=5)).admits(token)


@pytest.mark.parametrize("who", [ADA, GRACE, Actor("U0STRANGER")])
@pytest.mark.parametrize("question", QUESTIONS)
def test_an_abort_is_open_to_everybody(who: Actor, question: Question) -> None:
    """Whatever the gate says, and however many have approved."""
    canary = moved(asked(question, replace(TWO, author=False)), Approve(GRACE, NOON)).canary
    move = moved(canary, Abort(who, NOON))
    assert isinstance(move.canary.phase, RollingBack)
    assert [Weight(0)] == flips(move)


def test_an_abort_ends_a_start_that_is_waited_for() -> None:
    """By the author too, who may not approve it."""
    assert isinstance(moved(pending(NOT_ADA), Abort(ADA, NOON)).canary.phase, Rejected)


def test_too_few_approvals_in_time_roll_back_and_name_who_gave_theirs() -> None:
    """One of two is no, and it is said whose yes was there."""
    late = NOON + TWO.timeout
    canary = moved(asked("promote"), Approve(GRACE, NOON)).canary
    phase = moved(canary, Ticked(late)).canary.phase
    assert isinstance(phase, RollingBack)
    assert "no_decision" == phase.cause.kind
    assert "only grace approved in time" in phase.cause.text

    nobody = moved(asked("promote"), Ticked(late)).canary.phase
    assert isinstance(nobody, RollingBack)
    assert "nobody decided in time" in nobody.cause.text


def test_too_few_approvals_of_a_start_never_start_it() -> None:
    """It is rejected, naming who approved; no traffic has moved."""
    canary = moved(pending(), Approve(ADA, NOON)).canary
    move = moved(canary, Ticked(NOON + TWO.timeout))
    assert isinstance(move.canary.phase, Rejected)
    assert "only ada approved in time" in move.canary.phase.reason
    assert [] == flips(move)


@pytest.mark.parametrize("late", [Approve(LIN, NOON, "thin", 1), Approve(LIN, NOON, "promote", 0)])
def test_a_second_yes_to_another_question_or_step_does_not_count(late: Approve) -> None:
    """Two yeses to two questions are no gate of two."""
    once = moved(asked("promote"), Approve(GRACE, NOON, "promote", 1)).canary
    assert "no longer open" in refused(once, late)


def test_approvals_do_not_outlive_their_question() -> None:
    """After the window was extended, two are wanted anew."""
    once = moved(asked("thin"), Approve(GRACE, NOON)).canary
    longer = moved(once, Extend(ADA, NOON, timedelta(minutes=5))).canary
    assert isinstance(longer.phase, Observing)
    assert not hasattr(longer.phase, "approvals")


# Ending the window early.


def test_a_proven_canary_goes_to_its_next_step_and_not_to_the_end() -> None:
    """Of a plan of 5 % and 25 % it goes to 25 %."""
    move = moved(proven(), Promote(GRACE, NOON, 0))
    assert isinstance(move.canary.phase, Shifting)
    assert [STEPS[1].weight] == flips(move)
    assert ["ended the window early, all SLOs are healthy"] == told(move, Topic.DECIDED)


def test_at_the_last_step_it_goes_to_the_end() -> None:
    """And it is on record who wanted it."""
    phase = Observing(1, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    move = moved(proven(phase=phase), Promote(GRACE, NOON))
    assert isinstance(move.canary.phase, Promoting)
    assert GRACE == move.canary.phase.by
    assert [FULL] == flips(move)


def test_a_paused_canary_can_be_promoted() -> None:
    """The pause need not be ended first."""
    phase = Paused(0, ADA, NOON, timedelta(minutes=5), timedelta(0), NOON + timedelta(hours=2))
    assert isinstance(moved(proven(phase=phase), Promote(GRACE, NOON)).canary.phase, Shifting)


def test_where_two_are_wanted_ending_the_window_is_the_first_yes() -> None:
    """It is asked then, and one more different person is enough."""
    last = Observing(1, NOON, NOON + timedelta(minutes=20), NOON + timedelta(minutes=40))
    gated = replace(of_two(), promote_gate=TWO)
    move = moved(proven(gated, last), Promote(GRACE, NOON))
    phase = move.canary.phase
    assert isinstance(phase, AwaitingDecision)
    assert (1, "promote") == (phase.step, phase.question)
    assert (Approval(GRACE, NOON),) == phase.approvals
    assert [] == flips(move)
    assert "counts once" in refused(move.canary, Approve(GRACE, NOON))

    second = moved(move.canary, Approve(LIN, NOON, "promote", 1))
    assert isinstance(second.canary.phase, Promoting)
    assert [FULL] == flips(second)


def test_where_nobody_would_be_asked_one_person_ends_the_window() -> None:
    """A canary that goes on by itself never comes to wait for a second person's silence."""
    last = Observing(1, NOON, NOON + timedelta(minutes=20), NOON + timedelta(minutes=40))
    between = moved(proven(replace(of_two(), promote_gate=TWO)), Promote(GRACE, NOON))
    assert isinstance(between.canary.phase, Shifting)
    ungated = moved(proven(of_two(), last), Promote(GRACE, NOON))
    assert isinstance(ungated.canary.phase, Promoting)


def test_what_is_not_proven_is_not_promoted() -> None:
    """It is said what is missing, and that it is judged on."""
    phase = Observing(0, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    reason = refused(a_canary(phase=phase), Promote(GRACE, NOON))
    assert "Not promoted: shop v2 is not proven healthy yet" in reason
    assert "judged on meanwhile" in reason


def test_with_a_hand_on_the_router_nothing_is_promoted() -> None:
    """Healthy numbers or not: it is not known of which split they are."""
    drift = "the router carries 9 %, asked was 5 %"
    assert drift in refused(proven(drift=drift), Promote(GRACE, NOON))


@pytest.mark.parametrize(
    "phase",
    [
        PendingApproval(NOON, NOON + timedelta(hours=1)),
        Preparing(NOON),
        Shifting(0, NOON),
        Promoting(0, NOON),
    ],
)
def test_what_is_not_watched_is_not_promoted(phase: Any) -> None:
    """Neither a canary that waits for its start nor one that is being moved."""
    assert "Not now" in refused(proven(phase=phase), Promote(GRACE, NOON))


def test_who_may_not_decide_may_not_end_the_window() -> None:
    """The gate is that of every other decision."""
    assert "You may not approve" in refused(proven(), Promote(Actor("U0STRANGER"), NOON))


def test_a_second_click_does_not_skip_a_step() -> None:
    """Two press Promote at 5 %: the later one has not agreed to 100 %."""
    moving = moved(proven(), Promote(GRACE, NOON, step=0)).canary
    there = moved(moving, WeightApplied(NOON, STEPS[1].weight)).canary
    assert isinstance(there.phase, Observing)
    assert "no longer open" in refused(there, Promote(LIN, NOON, step=0))
    seen = replace(there, share=Share(there.asked, 3, 400, 1200))
    assert isinstance(moved(seen, Promote(LIN, NOON, step=1)).canary.phase, Promoting)


def test_what_was_seen_at_a_lower_weight_ends_no_window() -> None:
    """A load that hurts shows only where it is carried: each weight is looked at."""
    moving = moved(proven(), Promote(GRACE, NOON)).canary
    there = moved(moving, WeightApplied(NOON, STEPS[1].weight)).canary
    assert "too little was seen at 25 % so far" in refused(there, Promote(GRACE, NOON))
    for few in (Share(there.asked, 2, 400, 1200), Share(there.asked, 9, 49, 147)):
        assert "too little was seen" in refused(replace(there, share=few), Promote(GRACE, NOON))


def test_what_nobody_has_looked_at_lately_is_not_promoted() -> None:
    """Three ticks without a look are too long ago to say that it is healthy now."""
    canary = proven(last_look_at=NOON)
    fresh, stale = NOON + 3 * canary.plan.tick, NOON + 4 * canary.plan.tick
    assert isinstance(moved(canary, Promote(GRACE, fresh)).canary.phase, Shifting)
    assert "nobody has looked at it lately" in refused(canary, Promote(GRACE, stale))


def test_a_promotion_is_not_approved_over_a_hand_on_the_router() -> None:
    """Healthy it was, at a split that it is not at any more."""
    drift = "the router carries 9 %, asked was 5 %"
    assert drift in refused(asked("promote", drift=drift), Approve(GRACE, NOON, "promote", 1))


def test_an_extension_says_that_approvals_are_void() -> None:
    """Whoever has said yes has to say it again, and reads that in the thread."""
    waiting = moved(asked("promote"), Approve(GRACE, NOON, "promote", 1)).canary
    (said,) = told(moved(waiting, Extend(ADA, NOON, timedelta(minutes=10))), Topic.DECIDED)
    assert said == "extended the window by 10 min; 1 approval must be given again"


def test_promote_pressed_while_it_was_watched_is_no_yes_without_evidence() -> None:
    """Meanwhile it was asked what to do without evidence, which that person has not seen."""
    for question in QUESTIONS[1:]:
        assert "no longer open" in refused(asked(question), Promote(GRACE, NOON, step=1))
    counted = moved(asked("promote"), Promote(GRACE, NOON, step=1)).canary.phase
    assert isinstance(counted, AwaitingDecision)
    assert (Approval(GRACE, NOON),) == counted.approvals


# Longer windows.


def test_a_window_becomes_longer_and_nothing_else() -> None:
    """Its end and its deadline move by what was asked; no weight is touched."""
    move = moved(a_canary(), Extend(ADA, NOON, timedelta(minutes=10)))
    phase = move.canary.phase
    assert isinstance(phase, Observing)
    assert NOON + timedelta(minutes=30) == phase.until
    assert NOON + timedelta(minutes=50) == phase.deadline
    assert [] == flips(move)
    assert ["extended the window by 10 min"] == told(move, Topic.DECIDED)


def test_a_paused_window_becomes_longer() -> None:
    """What was left of it grows; it is still paused."""
    paused = moved(a_canary(), Pause(ADA, NOON)).canary
    assert isinstance(paused.phase, Paused)
    longer = moved(paused, Extend(ADA, NOON, timedelta(minutes=10))).canary
    assert isinstance(longer.phase, Paused)
    assert paused.phase.remaining + timedelta(minutes=10) == longer.phase.remaining
    resumed = moved(longer, Resume(ADA, NOON)).canary.phase
    assert isinstance(resumed, Observing)
    assert NOON + timedelta(minutes=30) == resumed.until


@pytest.mark.parametrize("question", QUESTIONS)
def test_where_a_person_is_asked_it_is_watched_on_and_asked_again(question: Question) -> None:
    """At the end of the longer window, at the same weight; silence rolls back after that only."""
    more, tick = timedelta(minutes=10), timedelta(seconds=10)
    canary = asked(question, step=0, last_look_at=NOON)
    canary = moved(canary, Extend(ADA, NOON, more)).canary
    assert isinstance(canary.phase, Observing)
    assert NOON + more == canary.phase.until

    at, gone = NOON, NoData("no answer")
    while isinstance(canary.phase, Observing):
        move = moved(canary, Observed(at + tick, at, gone, gone, gone, gone))
        assert [] == flips(move)
        at, canary = at + tick, move.canary

    assert NOON + more == at
    assert isinstance(canary.phase, AwaitingDecision)
    assert "blind" == canary.phase.question
    assert at + TWO.timeout == canary.phase.expires_at


def test_a_breach_in_a_longer_window_rolls_back() -> None:
    """Longer is not safer: the judge goes on."""
    canary = replace(
        a_canary(
            phase=Observing(0, NOON, NOON + timedelta(minutes=1), NOON + timedelta(minutes=1))
        ),
        last_look_at=NOON,
    )
    canary = moved(canary, Extend(ADA, NOON, timedelta(hours=1))).canary
    for look in window([Moment(Arm(400), Arm(7600))] + [Moment(BAD, Arm())] * 60):
        canary = moved(canary, look).canary
    assert isinstance(canary.phase, RollingBack)
    assert "breach" == canary.phase.cause.kind


def test_a_question_about_an_orphan_cannot_be_put_off() -> None:
    """Nobody remembers it, so nobody can tell what it is worth to watch."""
    assert "Not now" in refused(asked("orphan"), Extend(ADA, NOON, timedelta(minutes=5)))


@pytest.mark.parametrize("more", [timedelta(0), timedelta(minutes=-10)])
def test_no_window_is_made_shorter(more: timedelta) -> None:
    """That would be a promotion before its time."""
    assert "only be watched longer" in refused(a_canary(), Extend(ADA, NOON, more))


def longest(canary: Canary, at: datetime) -> Canary:
    """Extended by half an hour as often as is allowed, and never beyond a day."""
    more = Extend(ADA, at, timedelta(minutes=30))
    while isinstance(answer := transition(canary, more), Transition):
        canary = answer.canary
        if isinstance(canary.phase, Observing):
            assert canary.phase.deadline <= NOON + LONGEST
    assert "more than 24 hours" in answer.reason
    return canary


def test_nothing_is_extended_beyond_a_day() -> None:
    """However often it is extended, paused, resumed or asked about in between."""
    at, canary = NOON, longest(a_canary(), NOON)
    for _ in range(3):
        canary = longest(moved(canary, Pause(ADA, at)).canary, at)
        at += timedelta(hours=1)
        canary = longest(moved(canary, Resume(ADA, at)).canary, at)
        canary = replace(canary, phase=AwaitingDecision(0, "thin", at, at + TWO.timeout))
        canary = longest(canary, at)


def test_the_windows_of_earlier_steps_do_not_count() -> None:
    """A day is for one step: a second one may be watched after a long first one."""
    day = timedelta(hours=20)
    plan = a_plan(steps=tuple(Step(step.weight, day) for step in STEPS))
    at = NOON + day
    phase = Observing(1, at, at + timedelta(hours=1), at + timedelta(hours=1))
    moved(a_canary(plan=plan, phase=phase), Extend(ADA, at, timedelta(hours=2)))


# Pauses.


def test_a_pause_that_nobody_ends_goes_on_by_itself() -> None:
    """It wakes for that, goes on with what was left, and says so; nobody is named."""
    plan = a_plan(pause=timedelta(minutes=30))
    canary = moved(a_canary(plan=plan, next_look_at=None), Pause(ADA, NOON)).canary
    over = NOON + timedelta(minutes=30)
    assert isinstance(canary.phase, Paused)
    assert over == canary.wake_at

    move = moved(canary, Ticked(over))

    assert isinstance(move.canary.phase, Observing)
    assert over + timedelta(minutes=20) == move.canary.phase.until
    assert ["the pause is over: the window goes on"] == told(move, Topic.DECIDED)
    assert move.canary.timeline[-1].by is None
    before = moved(canary, Ticked(over - timedelta(seconds=1))).canary.phase
    assert isinstance(before, Paused)


def test_a_pause_lasts_as_long_as_was_asked() -> None:
    """Not as the plan says, and all pauses together never more than a day."""
    short = moved(a_canary(), Pause(ADA, NOON, timedelta(minutes=3))).canary.phase
    assert isinstance(short, Paused)
    assert NOON + timedelta(minutes=3) == short.until
    assert "24 hours" in refused(a_canary(), Pause(ADA, NOON, timedelta(days=9)))
    later = NOON + LONGEST - timedelta(minutes=2)
    assert "24 hours" in refused(a_canary(), Pause(ADA, later, timedelta(minutes=3)))


def test_a_clock_that_is_set_back_does_not_make_a_pause_longer() -> None:
    """Its end moves back as far as the looks do."""
    canary = moved(
        a_canary(next_look_at=NOON, last_look_at=NOON), Pause(ADA, NOON, timedelta(minutes=5))
    ).canary
    back = moved(canary, Ticked(NOON - timedelta(hours=1))).canary
    assert isinstance(back.phase, Paused)
    assert back.phase.until is not None
    assert back.phase.until <= NOON - timedelta(minutes=54)
    assert isinstance(moved(back, Ticked(back.phase.until)).canary.phase, Observing)


def test_a_paused_canary_is_judged_and_rolled_back() -> None:
    """A person holds the weight and not the judge."""
    canary = replace(
        a_canary(phase=Observing(0, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1))),
        last_look_at=NOON,
    )
    canary = moved(canary, Pause(ADA, NOON, timedelta(hours=3))).canary
    for look in window([Moment(Arm(400), Arm(7600))] + [Moment(BAD, Arm())] * 60):
        canary = moved(canary, look).canary
    assert isinstance(canary.phase, RollingBack)


def test_a_pause_of_an_older_bot_lasts_until_somebody_ends_it() -> None:
    """It has no end on record."""
    paused = Paused(0, ADA, NOON, timedelta(minutes=5), timedelta(0))
    canary = a_canary(phase=paused, next_look_at=NOON + timedelta(days=9))
    later = moved(canary, Ticked(NOON + timedelta(days=9, seconds=-1))).canary
    assert isinstance(later.phase, Paused)


# Notes.


def test_each_step_is_told_once() -> None:
    """The first as the start, every further one as a step; an answer that comes twice says nothing."""
    canary, topics = a_canary(plan=a_plan(steps=STEPS), phase=Shifting(0, NOON)), []
    for number, step in enumerate(STEPS):
        canary = replace(canary, phase=Shifting(number, NOON), asked=step.weight)
        for _ in range(2):
            move = moved(canary, WeightApplied(NOON, step.weight))
            canary = move.canary
            topics += [(e.note.topic, e.note.step) for e in move.effects if isinstance(e, Tell)]
    assert [(Topic.STARTED, 0), (Topic.STEP, 1)] == topics


def test_an_ended_canary_takes_no_decision() -> None:
    """Each is answered with how it ended."""
    cause = Cause("abort", "aborted by ada", ADA)
    ended = a_canary(phase=RolledBack(cause, NOON, timedelta(seconds=1)))
    for command in (
        Promote(GRACE, NOON),
        Extend(GRACE, NOON, timedelta(minutes=1)),
        Pause(GRACE, NOON),
        Approve(GRACE, NOON),
    ):
        assert "was rolled back" in refused(ended, command)


def test_arms_are_those_of_the_plan() -> None:
    """A promotion names the arms that were prepared."""
    move = moved(proven(), Promote(GRACE, NOON))
    assert isinstance(move.effects[0], SetWeight)
    assert ARMS == move.effects[0].arms
