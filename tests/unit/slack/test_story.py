"""What the live message and the thread tell beyond the phase: approvals, trends, steps, links."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import ADA, GRACE, a_plan
from unit.slack.support import LATER, LATEST, NOTES, NOW, in_phase, risky_plan, spoken

from bot.core.canary import Observing
from bot.core.effects import Note, Topic
from bot.core.plan import Dashboard, Escalation, Gate, Plan
from bot.core.trend import Point, Trend
from bot.slack.views.canary import live_message
from bot.slack.views.thread import note_message
from bot.slack.views.trend import sparkline
from bot.slack.views.why import why_message
from bot.workspace.blocks import check_message

WORSE = Trend(tuple(Point((40, 760), (late, 1), (0.08, 0.08)) for late in (0, 0, 1, 6, 12)))
TWO = Gate(("S0APPROVE",), timedelta(minutes=30), needed=2, author=False)


def told(name: str, **changes: object) -> str:
    """The live message's words."""
    message = live_message(in_phase(name, **changes), NOW)
    check_message(message.blocks)
    return spoken(message.blocks)


def note(name: str, topic: Topic, **changes: object) -> str:
    """A thread reply's words."""
    message = note_message(in_phase(name, **changes), NOTES[topic.value])
    check_message(message.blocks)
    return spoken(message.blocks)


def test_a_trend_shows_which_way_it_goes() -> None:
    """Canary and stable share a scale, so that the worse one stands out."""
    text = told("observing", trend=WORSE)
    assert "*Errors *canary `▁▁▂▅█` stable `▁▁▁▁▁` (full bar: 30.0 %)" in text


def test_a_trend_is_shown_while_it_moves_and_not_after() -> None:
    """Before there is something to see, and after the end, it would be noise."""
    assert "full bar" not in told("observing", trend=Trend(WORSE.points[:2]))
    assert "full bar" not in told("rolled_back_breach", trend=WORSE)
    assert "full bar" not in told("rolling_back", trend=WORSE)


@pytest.mark.parametrize(
    ("values", "top", "shown"),
    [
        ((0.0, 1.0), 1.0, "▁█"),
        ((None, 0.5), 1.0, "·▅"),
        ((0.0, 0.0), 0.0, "▁▁"),
        ((2.0,), 1.0, "█"),
        ((), 1.0, ""),
    ],
)
def test_a_bar_a_value(values: tuple[float | None, ...], top: float, shown: str) -> None:
    """What was not seen is a dot, never a low bar."""
    assert sparkline(values, top) == shown


def test_an_ended_message_is_short() -> None:
    """The verdict needs no table; its numbers stand in a line."""
    for name in ("promoted", "rolled_back_breach", "rolled_back_abort"):
        blocks = live_message(in_phase(name), NOW).blocks
        assert "table" not in {block["type"] for block in blocks}
    assert "Errors 0 % (stable 0.39 %) · Latency p95" in told("promoted")


def test_a_rollback_is_not_called_healthy_in_what_it_was_for() -> None:
    """What was breached is left out of what was healthy."""
    healthy = told("rolled_back_breach").partition("Healthy: ")[2].partition("\n")[0]
    assert healthy.startswith("Latency p95")
    assert "Errors" not in healthy
    assert "log" not in healthy


def test_approvals_are_counted_where_everybody_sees_them() -> None:
    """How many are needed, who has said yes, and that the author does not count."""
    text = told("awaiting_second", plan=replace(risky_plan(), promote_gate=TWO))
    assert "<!subteam^S0APPROVE> (2 different people, not ada, who started it)" in text
    assert "*1 of 2 approvals: *<@U0GRACE01>" in text
    assert "Without 2 approvals by 12:40 UTC, all traffic goes back to stable." in text


def test_a_pause_says_when_it_ends() -> None:
    """Nobody has to remember it."""
    assert "goes on at 12:20 UTC or with Resume" in told("paused_until")


def test_the_reason_of_a_start_is_kept() -> None:
    """Why it was started stands beside who did, in the message and in the thread."""
    assert "Started by <@U0ADA0001> 2026-03-02 12:00 UTC: fix the cart" in told(
        "observing", reason="fix the cart"
    )
    assert "Started by *ada*: fix the cart." in note(
        "observing", Topic.STARTED, reason="fix the cart."
    )


def test_a_step_says_until_when_it_is_watched() -> None:
    """The weight that was read back, since when, until when, and which of the steps it is."""
    reached = Note(3, Topic.STEP, NOW, "50 % of the traffic is on v2", step=1)
    text = spoken(note_message(in_phase("observing", plan=risky_plan()), reached).blocks)
    assert text == (
        "*⏫ **50 % of the traffic is on v2* since 12:05 UTC, watched until 12:15 UTC (step 2 of 2)."
    )
    first = Note(1, Topic.STARTED, NOW, "5 % of the traffic is on v2", step=0)
    assert "watched until 12:25 UTC." in spoken(note_message(in_phase("observing"), first).blocks)


def test_the_first_sign_of_trouble_calls_nobody() -> None:
    """It tells the numbers and that nothing is to be done."""
    trouble = replace(NOTES["trouble"], findings=NOTES["breach"].findings)
    message = note_message(in_phase("observing"), trouble)
    text = spoken(message.blocks)
    assert "5.20 % on the canary, 0.48 % on stable (at most 1 in 4,200 by chance)" in text
    assert "Nothing to do now" in text
    assert not message.broadcast
    assert "<@" not in text


def test_a_breach_calls_whoever_looks_after_the_service() -> None:
    """The on-call is mentioned on a rollback, and by nobody's abort or undo."""
    plan = a_plan(escalation=Escalation(oncall="S0ONCALL"))
    assert "For you to look into: <!subteam^S0ONCALL>" in note(
        "rolled_back_breach", Topic.BREACH, plan=plan
    )
    assert "<!subteam^S0ONCALL>" in note("rolled_back_silence", Topic.ROLLED_BACK, plan=plan)
    for name in ("rolled_back_abort", "rolled_back_undo"):
        assert "S0ONCALL" not in note(name, Topic.ROLLED_BACK, plan=plan)
    assert "look into" not in note("rolled_back_breach", Topic.BREACH)


def test_a_breach_links_to_its_dashboards() -> None:
    """Each link shows the time of the canary, and what comes from outside is quoted in it."""
    url = "https://grafana.example/d/x?var-service={service}&v={revision}&from={from}&to={to}"
    plan = a_plan(
        dashboards=(Dashboard("Grafana", url), Dashboard("Logs", "https://logs.example"))
    )
    text = note("rolled_back_breach", Topic.BREACH, plan=plan, revision="v2&to=0")
    assert (
        "Look further: Grafana (https://grafana.example/d/x?var-service=shop&v=v2%26to%3D0" in text
    )
    start, end = NOW.timestamp() - 600, NOW.timestamp() + 300
    assert f"&from={start * 1000:.0f}&to={end * 1000:.0f}) · Logs (https://logs.example)" in text


def test_the_thread_names_people_without_ringing_them() -> None:
    """They know what they have just done."""
    for topic in (Topic.DECIDED, Topic.PROMOTED, Topic.REJECTED, Topic.STARTED):
        assert "<@" not in note("observing", topic)


def test_what_nobody_did_is_nobodys() -> None:
    """A pause that is over goes on by itself, and says so."""
    over = Note(2, Topic.DECIDED, LATER, "the pause is over: the window goes on")
    message = note_message(in_phase("observing"), over)
    assert spoken(message.blocks) == "⏱️ The pause is over: the window goes on."
    assert message.text.endswith("The pause is over: the window goes on.")


def test_an_undo_reads_as_one() -> None:
    """Who took it back, why, and that the users are on what was stable before."""
    text = told("rolled_back_undo", started_by=GRACE)
    assert text.startswith("# ↩️ shop v2 undone\n*✅ All traffic is back on stable* (`v1`)")
    assert "*Undone* by <@U0GRACE01>: carts are empty" in text
    assert "Plan:" not in text
    assert "undone by grace" in note_message(in_phase("rolled_back_undo"), UNDO_NOTE).text.lower()


UNDO_NOTE = Note(1, Topic.ROLLED_BACK, NOW, "undone by grace: carts are empty", by=ADA)


@pytest.mark.parametrize(
    ("phase", "plan", "said"),
    [
        (
            Observing(0, NOW, LATER, LATER, extended=True),
            a_plan(),
            "At 12:20 UTC: promoted to 100 % if healthy; if not, a person is asked what to do.",
        ),
        (
            Observing(0, NOW, LATER, LATEST, extended=True),
            a_plan(),
            "promoted to 100 % if healthy; if not, a person is asked at 12:40 UTC what to do.",
        ),
        (
            Observing(1, NOW, LATER, LATER, extended=True),
            risky_plan(),
            "At 12:20 UTC: a person is asked to promote it if healthy; if not, a person is asked",
        ),
        (
            Observing(0, NOW - timedelta(minutes=4), NOW, LATEST, extended=True),
            risky_plan(),
            "Once healthy: on to 50 %. Otherwise a person is asked at 12:40 UTC what to do.",
        ),
    ],
)
def test_an_extended_window_says_how_it_ends(phase: Observing, plan: Plan, said: str) -> None:
    """A person's extension has a window of its own; the machine's ends as soon as it is healthy."""
    text = told("observing", phase=phase, plan=plan)
    assert said in text
    assert ("Window extended, waiting for" in text) is (phase.until == NOW)


def test_a_window_that_a_person_made_longer_counts_to_its_own_end() -> None:
    """Not to the deadline of an extension that has not begun."""
    phase = Observing(0, NOW, LATER, LATEST, extended=True)
    assert "15 min left" in told("observing", phase=phase)
    assert "15 min left." in live_message(in_phase("observing", phase=phase), NOW).text
    why = spoken(why_message(in_phase("observing", phase=phase), NOW, "", "/canary").blocks)
    assert "surely not much worse than stable at 12:20 UTC" in why


def test_what_drifts_does_not_go_on_by_being_healthy() -> None:
    """Nothing is raised over a hand on the router."""
    text = told("observing", drift="the router carries 2 %, asked was 5 %")
    assert "At 12:20 UTC: promoted to 100 % if healthy and not adrift." in text
