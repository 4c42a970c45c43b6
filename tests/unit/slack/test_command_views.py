"""What commands are answered with, read as a person reads it."""

from dataclasses import replace

import pytest
from builders import ADA, GRACE
from hypothesis import given
from hypothesis import strategies as st
from unit.slack.support import BREACH, NOW, PHASES, in_phase, posted, risky_plan, spoken

from bot.core.plan import Actor
from bot.core.verdict import Health
from bot.slack.grammar import Asked, Known, parse
from bot.slack.views.help import USES, help_message
from bot.slack.views.listing import list_message
from bot.slack.views.record import MOST_ENTRIES, show_message
from bot.slack.views.room import first_of, last_of, size
from bot.slack.views.rules import chance_meant, other, ruled
from bot.slack.views.steps import next_steps
from bot.slack.views.why import why_message

KNOWN = Known(("shop",), ("safe", "risky"))


def explained(name: str, **changes: object) -> str:
    """`why` of a canary in this phase."""
    canary = in_phase(name, **changes)
    return spoken(why_message(canary, NOW, "", "/canary").blocks)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pending_approval", "It goes on *once its start is approved, until 12:40 UTC."),
        ("pending_approval", "*It does not start *if that time runs out, or it is aborted."),
        ("preparing_waiting", "Waiting for: db: not migrated yet"),
        ("shifting", "once the router, read back, carries the weight."),
        ("observing", "not much worse than stable at 12:20 UTC: then it is promoted to 100 %."),
        ("observing", "*It goes back *at once if one SLO is breached at any look"),
        ("observing_extended", "*It goes on *as soon as every SLO is surely not much worse"),
        ("paused", "when somebody resumes it"),
        ("awaiting_thin", "and if nobody decides in time."),
        ("awaiting_thin", "About 15 more canary requests would decide it."),
        ("awaiting_blind", "the metrics server does not answer"),
        ("awaiting_orphan", "`/canary approve shop-k3x9ab` promotes it"),
        ("promoted", "The numbers decided: at the end of the window every SLO was surely not"),
        ("promoted_by_person", "*A person decided: *<@U0GRACE01> approved it."),
        ("rolling_back", "Wait some seconds: the router is being set."),
        ("rolling_back_overdue", "Act now: the router has not confirmed."),
        ("rolled_back_breach", "The numbers decided, by themselves."),
        ("rolled_back_abort", "*A person decided, not the numbers: *<@U0GRACE01>: latency"),
        ("rolled_back_silence", "Without an answer in time it is rolled back"),
        ("rolled_back_silence", "1,200 of about 2,000 requests to the canary that a promotion"),
        ("rolled_back_failure", "says nothing about the revision; look at the router first."),
        ("rolled_back_undo", "*A person took the promotion back: *"),
        ("rejected", "nobody approved the start in time."),
        ("rejected_by_person", "aborted by grace (<@U0GRACE01>)."),
    ],
)
def test_every_decision_is_explained(name: str, said: str) -> None:
    """What was decided and why, or what it waits for and what would decide it."""
    assert said in explained(name)


@pytest.mark.parametrize("name", PHASES)
def test_every_explanation_ends_with_lines_that_work(name: str) -> None:
    """What to do next is understood when it is pasted."""
    lines = next_steps(in_phase(name))
    assert lines
    for line in lines:
        assert isinstance(parse(line.text, KNOWN, NOW), Asked), line
        assert f"`/canary {line.text}`" in explained(name)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("sequential", "All looks together"),
        ("look", "planned beforehand"),
        ("limit", "absolute limit"),
        ("signature", "logs something that stable does not"),
        ("rising", "far more often"),
        ("outage", "up on stable"),
        ("crash loop", "restarted again and again"),
        ("non-inferior", "Surely not much worse"),
    ],
)
def test_every_rule_has_plain_words(rule: str, said: str) -> None:
    """And its name, for whoever wants to look it up."""
    text = "".join(part["text"] for part in ruled(replace(BREACH, rule=rule)))
    assert said in text
    assert text.endswith(f"(rule: {rule}).")
    assert ruled(replace(BREACH, rule="")) == []


def test_what_is_no_chance_is_not_explained_as_one() -> None:
    """A component that is down needs no odds, and neither does what may well be chance."""
    assert chance_meant(replace(BREACH, chance=0.0)) == []
    assert chance_meant(replace(BREACH, chance=0.7)) == []
    assert "at most 1 in 4,200 by chance" in str(chance_meant(BREACH))


def test_what_is_thin_says_what_would_decide_it() -> None:
    """So many more requests; what is healthy says nothing of the kind."""
    thin = replace(BREACH, health=Health.THIN, more=400, reason="not yet surely below 1.5x")
    assert "About 400 more canary requests would decide it." in str(other(thin))
    assert "would decide" not in str(other(replace(thin, health=Health.HEALTHY)))


def test_the_whole_of_a_canary_is_shown() -> None:
    """Plan with its gates, every decision with who and when, and the timeline."""
    canary = in_phase("rolled_back_breach", plan=risky_plan(), reason="login fix")
    canary = canary.noted(NOW, "started: risky, 5 %", ADA).noted(NOW, "drift: the router is off")
    canary = canary.noted(NOW, "approved the start", GRACE)
    said = spoken(show_message(canary, NOW, "https://works/p1", "/canary").blocks)
    assert "*Start: *<!subteam^S0APPROVE>, <@U0GRACE01>, within 30 min; silence means no" in said
    assert "*Too little evidence: *20 min longer, then a person is asked" in said
    assert "*Looked at: *every 10 s" in said
    assert "approved the start · <@U0GRACE01>" in said.partition("*Timeline*")[0]
    assert "drift: the router is off" in said.partition("*Timeline*")[2]
    assert "login fix" in said
    assert "live message (https://works/p1)" in said


def test_a_long_timeline_keeps_its_newest_entries() -> None:
    """And says how many were left out."""
    canary = in_phase("observing")
    for number in range(40):
        canary = canary.noted(NOW, f"entry number {number}")
    said = spoken(show_message(canary, NOW, "", "/canary").blocks)
    assert f"({40 - MOST_ENTRIES} earlier left out)" in said
    assert "entry number 39" in said
    assert "entry number 14" not in said


def test_the_list_names_no_more_than_it_shows() -> None:
    """What was left out is counted."""
    many = [posted(in_phase("observing"), number) for number in range(40)]
    said = spoken(list_message(many, [], [""] * 40).blocks)
    assert f"and {40 - said.count('`shop-')} more" in said


@given(st.lists(st.text(max_size=50), max_size=30), st.integers(0, 500))
def test_what_is_kept_has_room(texts: list[str], room: int) -> None:
    """The first or the last rows, in their order, never more than fit."""
    rows = [[{"type": "text", "text": text}] for text in texts]
    first, last = first_of(rows, room), last_of(rows, room)
    assert rows[: len(first)] == first
    assert rows[len(rows) - len(last) :] == last
    assert max(size(first) + len(first), size(last) + len(last)) <= room


def test_help_shows_uses_that_work() -> None:
    """Every use, with its placeholders filled in, is understood."""
    for use in USES:
        if use.line.startswith("…"):
            line = use.line.replace("…", "start shop v2", 1).replace("…", "it is time")
        else:
            line = use.line.replace(" | for 2h", "")
        for word, meant in FILLED.items():
            line = line.replace(word, meant)
        assert isinstance(parse(line, KNOWN, NOW), Asked), line
    assert "extend" in help_message("/canary", ("shop",), ("safe",)).text


FILLED = {
    "SERVICE|all": "shop",
    "TARGET": "shop-k3x9ab",
    "SERVICE": "shop",
    "REVISION": "v2",
    "NAME": "safe",
    "[": "",
    "]": "",
}


def test_a_machine_that_started_it_is_listed_by_name() -> None:
    """A pipeline has no mention."""
    canary = in_phase("observing", started_by=Actor("ci", "pipeline"))
    said = spoken(list_message([canary], [], [""]).blocks)
    assert "by `pipeline`" in said
