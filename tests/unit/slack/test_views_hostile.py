from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.slack.support import BREACH, NOTES, NOW, PHASES, in_phase, risky_plan

from bot.core.assessment import Assessment, Impact, Reason, Statement
from bot.core.canary import Canary, Cause, Entry, Mark, Paused, Preparing, Rejected, RolledBack
from bot.core.effects import Topic
from bot.core.freezes import Freeze, Override
from bot.core.plan import Actor, Gate
from bot.slack.grammar import Known, Misread, parse
from bot.slack.views import freezes, kit, listing, record
from bot.slack.views import help as answers
from bot.slack.views.canary import live_message
from bot.slack.views.kit import Message
from bot.slack.views.thread import note_message
from bot.slack.views.why import why_message
from bot.workspace.blocks import check_message

HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<!channel>",
            "<!here|now>",
            "<@U0ADA0001>",
            "<!subteam^S0APPROVE>",
            "<https://evil.example|official>",
            "`code` *bold* _it_ ~no~",
            "> quote",
            ":fire:" * 30,
            "\u202egnirts",
            "&lt;!channel&gt;",
            "x" * 10_000,
            "&" * 3_000,
            "\n" * 50,
            "",
        ]
    ),
    st.text(max_size=300),
)


def is_harmless(message: Message) -> None:
    """Slack takes it, and nothing in it is a mention, a link or a turn of direction by accident."""
    if message.blocks:
        check_message(message.blocks)
    assert message.text.strip()
    assert len(message.text) <= 3000
    mentions = ("<!channel", "<!here", "<!everyone", "<@", "<!subteam", "<http")
    assert not any(mention in message.text for mention in mentions)
    for text in _mrkdwn(message.blocks):
        assert not any(mention in text for mention in mentions)
        assert "\u202e" not in text
    for text in _plain(message.blocks):
        assert "\u202e" not in text


def _texts(value: Any, kind: str) -> list[str]:
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner, kind)]
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == kind else []
        return own + [text for inner in value.values() for text in _texts(inner, kind)]
    return []


def _mrkdwn(blocks: Any) -> list[str]:
    return _texts(blocks, "mrkdwn")


def _plain(blocks: Any) -> list[str]:
    return [text for kind in ("plain_text", "text", "raw_text") for text in _texts(blocks, kind)]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", PHASES)
def test_slack_takes_the_message_of_every_phase(name: str, plain: bool) -> None:
    """Each phase gives a valid message, with and without a table."""
    is_harmless(live_message(in_phase(name), NOW, plain=plain))
    is_harmless(live_message(in_phase(name, plan=risky_plan()), NOW, plain=plain))


@pytest.mark.parametrize("name", PHASES)
@pytest.mark.parametrize("topic", NOTES)
def test_slack_takes_every_note_in_every_phase(topic: str, name: str) -> None:
    """A note that is told late, in whatever phase, is valid too."""
    is_harmless(note_message(in_phase(name), NOTES[topic]))


@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from(sorted(PHASES)))
def test_hostile_names_do_nothing(service: str, revision: str, reason: str, name: str) -> None:
    """Whatever a service, revision or reason is called, the message is valid and harmless."""
    canary = hostile(in_phase(name), service, revision, reason)
    is_harmless(live_message(canary, NOW))
    is_harmless(live_message(canary, NOW, plain=True))


@settings(max_examples=40)
@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from(sorted(PHASES)))
def test_hostile_names_do_nothing_in_answers(
    service: str, revision: str, reason: str, name: str
) -> None:
    """Nor in the private answers to commands, nor in what is said of freezes."""
    canary = hostile(in_phase(name), service, revision, reason)
    link = "https://works.slack.com/archives/C/p1"
    is_harmless(record.status_message(canary, NOW, link))
    is_harmless(record.show_message(canary, NOW, link, "/canary"))
    is_harmless(why_message(canary, NOW, link, "/canary"))
    ended = [canary] * 30 if canary.is_ended else []
    frozen = Freeze(service, canary.started_by, reason, NOW, NOW)
    is_harmless(listing.list_message([canary] * 30, [canary] * 30, [link] * 30, [frozen] * 30))
    is_harmless(listing.history_message(ended, [link] * len(ended), service, "/canary"))
    is_harmless(answers.several([canary] * 30, "abort", "/canary"))
    is_harmless(answers.none_here([canary] * 30, "abort", "/canary"))
    is_harmless(freezes.frozen(frozen, frozen, [canary] * 30, "/canary"))
    is_harmless(freezes.frozen(frozen, None, [canary] * 30, "/canary", stopped=True))
    by = Actor(reason or "U1", revision)
    lock = replace(frozen, kind="lock", by=by, until=None)
    window = replace(frozen, kind="calendar", by=by)
    is_harmless(freezes.locked(lock, lock, canary, "/canary"))
    is_harmless(freezes.locked_already(lock, "/canary"))
    for one in (frozen, lock, window):
        is_harmless(freezes.lifted(one, canary.started_by, [one] * 30))
        is_harmless(freezes.not_frozen(service, [one] * 30, "/canary"))


@settings(max_examples=40)
@given(HOSTILE)
def test_hostile_commands_are_answered_harmlessly(typed: str) -> None:
    """Whatever was typed and not understood is said back as text and nothing else."""
    known = Known(("shop",), ("safe",))
    for verb in ("", "start shop", "start shop v2", "freeze all until", "abort", "show"):
        asked = parse(f"{verb} {typed}", known, NOW)
        if isinstance(asked, Misread):
            is_harmless(answers.misread_message(asked, "/canary"))


@given(HOSTILE, HOSTILE, st.lists(HOSTILE, max_size=40), st.sampled_from(list(Topic)))
def test_hostile_notes_do_nothing(
    detail: str, revision: str, lines: list[str], topic: Topic
) -> None:
    """Log lines and reasons of any content and length are shown as they are, within limits."""
    finding = replace(BREACH, reason=detail, limit=detail, examples=tuple(lines))
    by = Actor(revision, detail)
    note = replace(
        NOTES[topic.value], detail=detail, lines=tuple(lines), findings=(finding,) * 8, by=by
    )
    canary = hostile(in_phase("awaiting_thin"), "shop", revision, detail)
    is_harmless(note_message(canary, note))
    is_harmless(kit.private(detail))
    answer = kit.private(revision, ids=("S0APPROVE", "U0ADA0001"))
    # The ids that were asked for are mentions, in a message that one person sees, and no others.
    text = answer.text.replace("<@U0ADA0001>", "ada").replace("<!subteam^S0APPROVE>", "group")
    is_harmless(replace(answer, text=text))


def hostile_assessment(service: str, revision: str, reason: str) -> Assessment:
    """Paths, statements and reasons of any content."""
    impacts = (Impact.NOT_ADDITIVE, Impact.UNCLEAR)
    statements = tuple(
        Statement(service, 7, revision, impact, reason, reason) for impact in impacts
    )
    url = f"https://{reason}"
    return Assessment(reason, (Reason(reason, reason),) * 9, statements * 4, 8, True, reason, url)


def hostile(canary: Canary, service: str, revision: str, reason: str) -> Canary:
    """The canary with these texts wherever one from outside can stand."""
    by = Actor(revision, reason)
    plan = replace(
        risky_plan(),
        tier=reason,
        reasons=(reason,) * 10,
        decision=Gate((service, "S0APPROVE", revision) * 20, timedelta(minutes=5)),
        assessment=hostile_assessment(service, revision, reason),
        lowered_from=reason,
    )
    phase = canary.phase
    match phase:
        case Preparing():
            phase = replace(phase, waiting_for=reason)
        case Rejected():
            phase = replace(phase, reason=reason, by=by)
        case Paused():
            phase = replace(phase, by=by)
        case RolledBack():
            finding = replace(BREACH, reason=reason, limit=reason, examples=(reason,))
            cause = Cause(phase.cause.kind, reason, by, (finding,) * 8)
            phase = replace(phase, cause=cause)
        case _:
            pass
    return replace(
        canary,
        service=service,
        revision=revision,
        stable_revision=revision,
        override=Override(by, reason, service),
        mark=Mark(False, by, NOW, reason),
        started_by=by,
        plan=plan,
        phase=phase,
        drift=reason,
        timeline=tuple(Entry(NOW, reason, by) for _ in range(40)),
    )
