"""Whether a rollback is safe is said wherever somebody may want one, and where it has been done."""

from dataclasses import replace

import pytest
from unit.slack.support import NOW, an_assessment, in_phase, risky_plan, spoken

from bot.core.assessment import Assessment, Impact, Reason
from bot.core.canary import Canary
from bot.core.effects import Note, Topic
from bot.slack.views.canary import buttons, live_message
from bot.slack.views.thread import note_message

UNSEEN = Assessment("unknown", (Reason("unknown", "the change cannot be seen: away"),), seen=False)
UNCLEAR = an_assessment(
    statements=tuple(one for one in an_assessment().statements if one.impact is Impact.UNCLEAR)
)


def canary(name: str, found: Assessment | None) -> Canary:
    return in_phase(name, plan=risky_plan(assessment=found), stable_revision="v1")


@pytest.mark.parametrize(
    ("name", "found", "said"),
    [
        ("pending_approval", an_assessment(), "A rollback is not safe"),
        ("observing", an_assessment(), "A rollback is not safe"),
        ("awaiting_promote", an_assessment(), "Release 1: stop reading"),
        ("promoted", an_assessment(), "Undo is not safe: *v1 does not fit the new schema"),
        ("rolled_back_breach", an_assessment(), "Look at stable now"),
        ("rolling_back", an_assessment(), "Look at stable now"),
        ("rolled_back_breach", UNCLEAR, "nobody knows whether it works with this revision's"),
        ("rolled_back_breach", UNSEEN, "nobody has seen what this revision changes"),
        ("awaiting_promote", UNCLEAR, "Nobody knows whether a rollback is safe"),
        ("awaiting_promote", UNSEEN, "nobody has seen what it changes"),
    ],
)
def test_the_message_says_whether_the_way_back_is_safe(
    name: str, found: Assessment, said: str
) -> None:
    """In the words that fit where the traffic is."""
    assert said in spoken(live_message(canary(name, found), NOW).blocks)


@pytest.mark.parametrize("name", ["observing", "promoted", "rolled_back_breach"])
@pytest.mark.parametrize("found", [None, Assessment("safe", (Reason("safe", "small"),))])
def test_what_is_safe_warns_of_nothing(name: str, found: Assessment | None) -> None:
    text = spoken(live_message(canary(name, found), NOW).blocks)
    assert "⛔" not in text
    assert "❓" not in text


@pytest.mark.parametrize(
    ("name", "topic", "said"),
    [
        ("awaiting_promote", Topic.DECISION_NEEDED, "A rollback is NOT safe."),
        ("rolled_back_breach", Topic.BREACH, "LOOK AT STABLE"),
        ("rolled_back_abort", Topic.ROLLED_BACK, "LOOK AT STABLE"),
    ],
)
def test_a_telephone_is_told_too(name: str, topic: Topic, said: str) -> None:
    """A notification shows the text alone."""
    note = Note(1, topic, NOW, "Healthy over the whole window")
    assert said in note_message(canary(name, an_assessment()), note).text
    assert said not in note_message(canary(name, None), note).text


def test_trouble_of_such_a_change_is_something_to_do() -> None:
    note = Note(1, Topic.TROUBLE, NOW, "errors rise")
    said = spoken(note_message(canary("observing", an_assessment()), note).blocks)
    assert "get somebody who knows it now" in said
    assert "Nothing to do now" in spoken(note_message(canary("observing", None), note).blocks)


@pytest.mark.parametrize("name", ["observing", "awaiting_promote", "promoted"])
def test_every_button_that_moves_traffic_asks_with_the_warning(name: str) -> None:
    found = replace(canary(name, an_assessment()))
    asked = [button["confirm"]["text"]["text"] for button in buttons(found) if "confirm" in button]
    assert asked
    assert all("stable may fail on the new schema" in each for each in asked)
