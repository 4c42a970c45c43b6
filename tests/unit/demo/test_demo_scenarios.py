"""The table of scenarios, their pace, and what counts as the right end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.demo.behaviour import Fault
from bot.demo.headless import Outcome, ending_of, problems
from bot.demo.processes import DemoError
from bot.demo.scenarios import SCENARIOS, Pace, find_scenario, pace_of

ERRORS = SCENARIOS["errors"]
AS_IT_MUST = Outcome(
    "↩️ shop v2 rolled back",
    "Breach: shop v2\nErrors: 9 % on the canary, 1 % on stable\nAll traffic is back on stable",
    {"blue": 100, "green": 0},
)


def test_every_fault_has_its_scenario() -> None:
    """Nothing that can be wrong with a revision is left unshown."""
    assert {s.fault for s in SCENARIOS.values()} == set(Fault)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_revision_with_a_fault_is_rolled_back(name: str) -> None:
    """No scenario expects a broken revision to be promoted, and each checks what is said."""
    scenario = SCENARIOS[name]
    if scenario.fault is not Fault.NONE:
        assert scenario.ending == "rolled back"
    assert scenario.said
    assert sum(scenario.split.values()) == 100


def test_a_misspelt_scenario_is_answered_with_the_likely_one() -> None:
    """The error lists all scenarios and guesses."""
    with pytest.raises(DemoError, match=r"known: healthy, .*quiet\. Did you mean latency\?"):
        find_scenario("latencie")


def test_a_name_like_no_other_gets_the_list_without_a_guess() -> None:
    """A wild name brings no wild guess."""
    with pytest.raises(DemoError) as error:
        find_scenario("xyzzy")
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize("seconds", [0, 14, 1801])
def test_a_window_out_of_reach_is_refused(seconds: int) -> None:
    """The error says what the demo takes."""
    with pytest.raises(DemoError, match="15 s to 30 min"):
        pace_of(timedelta(seconds=seconds))


def test_a_minute_gives_the_pace_of_the_welcome() -> None:
    """Everything else follows from the window."""
    pace = pace_of(timedelta(minutes=1))
    assert (pace.tick, pace.extension, pace.warm_up, pace.patience) == (2, 30, 5, 6)


@pytest.mark.parametrize("window", range(15, 121))
def test_a_fault_shows_while_it_can_still_be_seen(window: int) -> None:
    """Onset, warm-up and patience leave most of every window for evidence."""
    pace = Pace(window)
    assert pace.onset + pace.warm_up + pace.patience < window / 1.8


@pytest.mark.parametrize(
    ("head", "ending"),
    [
        ("✅ shop v2 promoted", "promoted"),
        ("↩️ shop v2 rolled back", "rolled back"),
        ("↩️ shop v2 rolled back: no decision in time", "rolled back"),
        ("🚫 shop v2 did not start", "did not start"),
        ("✋ Promote shop v2?", ""),
        ("⏪ Rolling back shop v2", ""),
        ("🚨 shop v2: rollback NOT confirmed", ""),
        ("", ""),
    ],
)
def test_only_a_headline_of_an_end_is_taken_for_one(head: str, ending: str) -> None:
    """A question or a move under way ends nothing."""
    assert ending_of(head) == ending


def test_the_right_end_has_no_problems() -> None:
    """All is well only when message, thread and router agree."""
    assert problems(ERRORS, AS_IT_MUST) == []


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (
            replace(AS_IT_MUST, headline="✅ shop v2 promoted"),
            "should say that v2 was rolled back",
        ),
        (replace(AS_IT_MUST, headline=""), "no message was posted"),
        (replace(AS_IT_MUST, split={"blue": 90, "green": 10}), "carries blue (v1) 90 %"),
        (replace(AS_IT_MUST, split=None), "Envoy should tell its split"),
        (replace(AS_IT_MUST, thread="Breach: back on stable"), "errors"),
    ],
)
def test_each_wrong_end_is_named(outcome: Outcome, said: str) -> None:
    """One thing out of place is one problem in plain words."""
    found = problems(ERRORS, outcome)
    assert len(found) == 1
    assert said in found[0]


def test_log_errors_do_not_pass_for_errors() -> None:
    """The scenario of failing requests wants the error rate named, not the log."""
    thread = "Breach\nLog errors: 4 on the canary, 0 on stable\nAll traffic is back on stable"
    assert problems(ERRORS, replace(AS_IT_MUST, thread=thread))


def test_a_word_that_must_not_fall_is_noticed() -> None:
    """A promotion after a breach is not the healthy ending."""
    outcome = Outcome("✅ shop v2 promoted", "Breach\nPromoted", {"blue": 0, "green": 100})
    found = problems(SCENARIOS["healthy"], outcome)
    assert found == ["the thread should not say that there was a breach, but does"]
