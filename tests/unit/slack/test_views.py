import json
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import ADA, a_canary
from unit.slack.support import NOTES, NOW, PHASES, a_judge, in_phase, risky_plan, spoken

from bot.core.canary import Canary
from bot.core.plan import ANYONE, Actor, Escalation, Gate, Weight
from bot.core.shares import Share
from bot.slack.views import help as answers
from bot.slack.views import kit
from bot.slack.views.canary import Action, Pressed, buttons, live_message
from bot.slack.views.slos import slo_table
from bot.slack.views.thread import note_message
from bot.workspace.blocks import check_message

HEALTHY = a_judge(looks=60, requests=80)
SEEN = Share(Weight.percent(5), 60, 4800, 91200)


def labels(canary: Canary) -> list[str]:
    """The buttons' labels."""
    return [button["text"]["text"] for button in buttons(canary)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("pending_approval", ["Approve start", "Abort"]),
        ("preparing", ["Abort"]),
        ("shifting", ["Abort"]),
        ("observing", ["Pause", "+10 min", "Abort"]),
        ("paused", ["Resume", "Abort"]),
        ("awaiting_promote", ["Promote", "+10 min", "Abort"]),
        ("awaiting_thin", ["Promote anyway", "+10 min", "Abort"]),
        ("awaiting_blind", ["Promote anyway", "+10 min", "Abort"]),
        ("awaiting_orphan", ["Promote it", "Abort"]),
        ("promoting", ["Abort"]),
        ("promoted", ["Undo", "Why?"]),
        ("rolling_back", []),
        ("rolled_back_breach", ["Why?", "False alarm"]),
        ("rolled_back_false", ["Why?", "It was real"]),
        ("rolling_back_undo", []),
        ("rolled_back_undo", ["Why?"]),
        ("rejected", []),
    ],
)
def test_each_phase_has_the_buttons_that_work_in_it(name: str, shown: list[str]) -> None:
    """Nobody is offered a button that can only be refused."""
    assert labels(in_phase(name)) == shown


def test_a_dangerous_button_names_what_it_does() -> None:
    """The abort's question names service, revision and weight, and is styled as danger."""
    abort = buttons(in_phase("observing"))[-1]
    confirm = abort["confirm"]
    asked = f"{confirm['title']['text']} {confirm['text']['text']}"
    assert abort["style"] == confirm["style"] == "danger"
    assert all(word in asked for word in ("shop", "v2", "5 %", "back to stable"))


def test_the_window_can_be_ended_early_once_the_numbers_are_sure() -> None:
    """The button is there as soon as all SLOs are healthy, and gone where a hand is at the router."""
    healthy = in_phase("observing", judge=HEALTHY, share=SEEN)
    assert labels(healthy) == ["Go on now", "Pause", "+10 min", "Abort"]
    assert labels(replace(healthy, drift="the router carries 7 %")) == labels(
        in_phase("observing")
    )
    asked = buttons(healthy)[0]["confirm"]["text"]["text"]
    assert asked.endswith("Its traffic goes from 5 % to 100 %.")


def test_an_approval_names_the_next_weight() -> None:
    """With another step to come an approval does not promise 100 %."""
    approve = buttons(in_phase("awaiting_thin", plan=risky_plan()))[0]
    assert approve["style"] == "primary"
    assert "from 5 % to 50 %" in approve["confirm"]["text"]["text"]


def test_a_button_carries_the_question_that_was_seen() -> None:
    """So an answer to an older question, or to the same one at an earlier step, can be refused."""
    value = buttons(in_phase("awaiting_thin"))[0]["value"]
    assert Pressed.read(value) == Pressed("shop-k3x9ab", "thin", 0)
    assert json.loads(value) == {"id": "shop-k3x9ab", "question": "thin", "step": 0}
    older = '{"id": "shop-k3x9ab", "question": "thin"}'
    assert Pressed.read(older) == Pressed("shop-k3x9ab", "thin")


@pytest.mark.parametrize(
    "value", ["", "null", "[]", "{}", '{"id": 7, "question": null}', '{"id": "a", "question": 1}']
)
def test_a_foreign_button_value_is_no_command(value: str) -> None:
    """Only what this bot wrote is read."""
    with pytest.raises(ValueError, match=r"carry|Expecting"):
        Pressed.read(value)


def test_the_message_says_what_it_waits_for() -> None:
    """Thin, extended and gated canaries say what is missing, until when, and who may decide."""
    thin = spoken(live_message(in_phase("observing_extended"), NOW).blocks)
    assert "about 15 more requests to the canary (35 so far), some 17 s at this rate" in thin
    assert "Once healthy: promoted to 100 %. Otherwise a person is asked at 12:40 UTC" in thin
    gate = spoken(live_message(in_phase("awaiting_promote", plan=risky_plan()), NOW).blocks)
    assert "<!subteam^S0APPROVE>, <@U0GRACE01>" in gate
    assert "Without an answer by 12:40 UTC, all traffic goes back to stable." in gate
    blind = live_message(in_phase("awaiting_blind"), NOW)
    assert "the metrics server does not answer" in blind.text


def test_progress_moves_with_the_time_alone() -> None:
    """The same canary five minutes later shows five minutes more."""
    canary = in_phase("observing")
    early, late = (live_message(canary, NOW + timedelta(minutes=m)) for m in (0, 5))
    assert early.same != late.same
    assert "5 min of 20 min, 15 min left" in spoken(early.blocks)
    assert "10 min of 20 min, 10 min left" in spoken(late.blocks)


def test_the_time_of_rendering_alone_is_no_change() -> None:
    """A message that would read the same is the same, though its small print and ids are new."""
    canary = in_phase("rolled_back_breach")
    one, two = live_message(canary, NOW), live_message(canary, NOW + timedelta(hours=1))
    assert one.same == two.same
    ids = [{block["block_id"] for block in message.blocks} for message in (one, two)]
    assert not ids[0] & ids[1]


def test_the_verdict_can_be_read_a_month_later() -> None:
    """The end says what was wrong, by how much, how sure, when and how fast it was over."""
    text = spoken(live_message(in_phase("rolled_back_breach"), NOW).blocks)
    for said in (
        "rolled back: errors, log errors",
        "5.20 % on the canary, 0.48 % on stable, *11x as many*",
        "at most 1 in 4,200 by chance",
        "back on stable* (`v1`) since 2026-03-02 12:05 UTC, 0.4 s after the decision",
        "Judged on 1,200 canary requests",
        "Started by <@U0ADA0001>",
    ):
        assert said in text


def test_a_promotion_on_thin_evidence_says_so() -> None:
    """Somebody who promoted anyway is named, beside how little was known."""
    thin = in_phase("awaiting_thin").judge
    text = spoken(live_message(in_phase("promoted_by_person", judge=thin), NOW).blocks)
    assert "approved by <@U0GRACE01>" in text
    assert "too little seen to be sure (35 of about 50 requests)" in text


def test_a_breach_alert_answers_the_first_questions() -> None:
    """Which SLO, how bad, how sure, are users safe, what does the log say: in the channel too."""
    message = note_message(in_phase("rolled_back_breach"), NOTES["breach"])
    text = spoken(message.blocks)
    assert message.broadcast
    for said in ("5.20 %", "0.48 %", "11x", "1 in 4,200", "All traffic is back on stable"):
        assert said in text
    assert "Traceback <most recent call last>: `orders` & more" in text
    assert message.blocks[-1]["elements"][0]["type"] == "rich_text_preformatted"


def test_an_alert_before_the_flip_is_confirmed_does_not_promise_it() -> None:
    """While the router has not confirmed, nothing says that users are safe."""
    text = spoken(note_message(in_phase("rolling_back"), NOTES["breach"]).blocks)
    assert "is back on stable" not in text
    assert "not confirmed yet" in text


def test_the_on_call_is_mentioned_with_what_to_do() -> None:
    """Whom it wakes, what the router says, and where the traffic belongs."""
    plan = risky_plan(escalation=Escalation(oncall="S0ONCALL"))
    message = note_message(in_phase("rolling_back_overdue", plan=plan), NOTES["oncall"])
    assert "<!subteam^S0ONCALL>*: this rollback is still not confirmed.*" in spoken(message.blocks)
    assert "all traffic belongs on `blue`, none on `green`" in spoken(message.blocks)
    assert "on-call, please look" in message.text


def test_an_overdue_flip_calls_people() -> None:
    """It is broadcast, mentions starter and approvers, and says where the traffic belongs."""
    canary = in_phase("rolling_back_overdue", plan=risky_plan())
    message = note_message(canary, NOTES["flip_overdue"])
    text = spoken(message.blocks)
    assert message.broadcast
    for said in ("NOT CONFIRMED", "`blue`", "<@U0ADA0001>", "<!subteam^S0APPROVE>"):
        assert said in text


def test_only_what_everybody_must_see_is_broadcast() -> None:
    """Everything else stays in the thread."""
    loud = {t for t, note in NOTES.items() if note_message(a_canary(), note).broadcast}
    assert loud == {"breach", "flip_overdue", "oncall"}


def test_a_decision_calls_its_approvers_once() -> None:
    """Mentioned while it is asked, by nobody's name once it has been decided, never everybody."""
    asked = in_phase("awaiting_promote", plan=risky_plan())
    assert "<!subteam^S0APPROVE>" in spoken(note_message(asked, NOTES["decision_needed"]).blocks)
    decided = in_phase("promoted", plan=risky_plan())
    assert "<!subteam" not in spoken(note_message(decided, NOTES["decision_needed"]).blocks)
    anyone = replace(risky_plan(), promote_gate=Gate((ANYONE,), timedelta(minutes=5)))
    open_to_all = in_phase("awaiting_promote", plan=anyone)
    assert "anyone" in spoken(live_message(open_to_all, NOW).blocks)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rolled_back_abort", "Aborted by **grace*"),
        ("rolled_back_undo", "The promotion was undone by **grace*.\nReason: carts are empty"),
        ("rolled_back_silence", "Rolled back."),
        ("rolled_back_failure", "the rollout failed"),
    ],
)
def test_every_way_back_has_its_words(name: str, said: str) -> None:
    """A person, silence and a failure read differently."""
    note = replace(NOTES["rolled_back"], findings=())
    assert said in spoken(note_message(in_phase(name), note).blocks)


def test_the_table_shows_the_worst_first_in_human_numbers() -> None:
    """What is wrong is at the top; nothing is an empty cell."""
    state = in_phase("awaiting_blind").judge
    table = slo_table(state)
    assert table is not None
    assert table["rows"][1][1]["text"] == "🟠 no data"
    assert all(cell["text"] for row in table["rows"] for cell in row)


def test_before_the_first_look_there_is_no_table() -> None:
    """A table of dashes would tell nothing."""
    kinds = [block["type"] for block in live_message(in_phase("pending_approval"), NOW).blocks]
    assert "table" not in kinds


def test_refusals_show_ids_as_mentions_and_uses_as_code() -> None:
    """A private answer mentions who may, by id, and sets commands apart."""
    text = "You may not. Who may: S0APPROVE, U0GRACE01. Try `/canary help`."
    message = kit.private(text, ids=("S0APPROVE", "U0GRACE01"))
    shown = spoken(message.blocks)
    assert "<!subteam^S0APPROVE>, <@U0GRACE01>" in shown
    assert "<!subteam^S0APPROVE>, <@U0GRACE01>" in message.text
    assert "`/canary help`" in shown


def test_help_lists_every_use_and_name() -> None:
    """Services and tiers are named as they have to be typed."""
    message = answers.help_message("/canary", ("payments", "shop"), ("safe", "risky"))
    check_message(message.blocks)
    shown = spoken(message.blocks)
    assert all(word in shown for word in ("start SERVICE", "abort", "payments, shop", "risky"))


def test_the_same_action_ids_are_used_everywhere() -> None:
    """Every button's id is one that the edge listens to."""
    canaries = [*map(in_phase, PHASES), in_phase("observing", judge=HEALTHY, share=SEEN)]
    assert {button["action_id"] for one in canaries for button in buttons(one)} == set(Action)


def test_a_machine_that_started_it_is_named() -> None:
    """A pipeline is no Slack user, so it is written and not mentioned."""
    ci = a_canary(started_by=Actor("ci:build-77", "build 77"))
    assert "Started by `build 77`" in spoken(live_message(ci, NOW).blocks)
    assert "<@U0ADA0001>" in spoken(live_message(a_canary(started_by=ADA), NOW).blocks)
