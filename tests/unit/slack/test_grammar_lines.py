"""Ends of freezes, lines to paste, and what no text may ever do."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st
from unit.slack.test_grammar import KNOWN, NOT_UNDERSTOOD

from bot.slack.grammar import VERBS, Asked, Misread, did_you_mean, parse

IN_2H = NOON + timedelta(hours=2)

UNTIL: list[tuple[str, datetime, str]] = [
    ("until 18:00", datetime(2026, 3, 2, 18, 0, tzinfo=UTC), ""),
    ("till 18:00 UTC", datetime(2026, 3, 2, 18, 0, tzinfo=UTC), ""),
    ("until 9:00", datetime(2026, 3, 3, 9, 0, tzinfo=UTC), ""),
    ("until 12:00", datetime(2026, 3, 3, 12, 0, tzinfo=UTC), ""),
    ("until 6pm", datetime(2026, 3, 2, 18, 0, tzinfo=UTC), ""),
    ("until midnight", datetime(2026, 3, 3, 0, 0, tzinfo=UTC), ""),
    ("until friday 9:00", datetime(2026, 3, 6, 9, 0, tzinfo=UTC), ""),
    ("until Fri 9:00 release week", datetime(2026, 3, 6, 9, 0, tzinfo=UTC), "release week"),
    ("until monday 9:00", datetime(2026, 3, 9, 9, 0, tzinfo=UTC), ""),
    ("until monday 13:00", datetime(2026, 3, 2, 13, 0, tzinfo=UTC), ""),
    ("until tomorrow 9:00", datetime(2026, 3, 3, 9, 0, tzinfo=UTC), ""),
    ("until 2026-05-24 18:00", datetime(2026, 5, 24, 18, 0, tzinfo=UTC), ""),
    ("until 2026-05-24T18:00Z sale", datetime(2026, 5, 24, 18, 0, tzinfo=UTC), "sale"),
    ("release week until 18:00", datetime(2026, 3, 2, 18, 0, tzinfo=UTC), "release week"),
    ("--until 18:00 --reason “the sale”", datetime(2026, 3, 2, 18, 0, tzinfo=UTC), "the sale"),
    ("for 2h", NOON + timedelta(hours=2), ""),
    ("2h because of the sale", NOON + timedelta(hours=2), "of the sale"),
    ("for 2 weeks \u2013 audit", NOON + timedelta(days=14), "audit"),
    ("for 90d", NOON + timedelta(days=90), ""),
]

LINES: list[tuple[str, tuple[str, ...]]] = [
    ("rollback shop", ("abort shop", "undo shop")),
    ("roll back <#C0SHOP001|shop> now", ("abort shop now", "undo shop now")),
    ("revert", ("abort", "undo")),
    ("stop shop", ("abort shop",)),
    ("yes shop", ("approve shop",)),
    ("lock all until 18:00", ("freeze all until 18:00",)),
    ("prom shop", ("promote shop",)),
    ("stat shop", ("status shop",)),
    ("shop", ("status shop", "start shop REVISION", "abort shop")),
    ("shop-k3x9ab", ("status shop-k3x9ab", "why shop-k3x9ab", "abort shop-k3x9ab")),
    ("shop abort it is slow", ("abort shop it is slow",)),
    ("extend 10", ("extend 10m",)),
    ("extend shop 10", ("extend shop 10m",)),
    ("approve shop please", ("approve shop",)),
    ("start shop v2 5", ("start shop v2 --percent 5", "start shop v2 --window 5m")),
    ("start shop v2 risky", ("start shop v2 --tier risky",)),
    ("start shop v2 login fix", ("start shop v2 because login fix",)),
    ("abort shpo is slow", ("abort shop is slow", "abort because shpo is slow")),
    ("unfreeze", ("unfreeze SERVICE", "unfreeze all")),
    ("lock", ("lock SERVICE until 18:00 release", "lock SERVICE", "list")),
    ("lock all", ("stop-the-line", "freeze all for 2h")),
    ("lock shop payments", ("lock shop", "lock payments")),
    ("unlock all", ("resume-the-line", "list")),
    ("reserve shop", ("lock shop",)),
    ("stop-the-line shop", ("freeze shop", "stop-the-line because shop")),
    (
        "freeze all until lifted",
        ("freeze all until friday 18:00", "stop-the-line", "lock SERVICE"),
    ),
]


@pytest.mark.parametrize(("text", "until", "reason"), UNTIL)
def test_the_end_of_a_freeze_is_the_next_such_moment(
    text: str, until: datetime, reason: str
) -> None:
    """A day, a time of day or a duration, in UTC, before or after the reason."""
    assert parse(f"freeze shop {text}", KNOWN, NOON) == Asked(
        "freeze", "shop", reason=reason, until=until
    )


LOCKS: list[tuple[str, Asked]] = [
    ("lock shop", Asked("lock", "shop")),
    ("lock shop for 2h my release", Asked("lock", "shop", "", reason="my release", until=IN_2H)),
    ("lock shop until 14:00", Asked("lock", "shop", until=IN_2H)),
    ("lock shop because of the schema", Asked("lock", "shop", reason="of the schema")),
    ("lock shop until unlocked", Asked("lock", "shop")),
    ("lock shop until further notice, audit", Asked("lock", "shop", reason="audit")),
    ("lock shop forever", Asked("lock", "shop")),
    ("unlock shop", Asked("unlock", "shop")),
    ("unlock <#C0SHOP001|shop>", Asked("unlock", "shop")),
    ("stop-the-line", Asked("stop-the-line")),
    ("STOP THE LINE!", Asked("stop-the-line")),
    ("stop the line: nobody can pay", Asked("stop-the-line", reason="nobody can pay")),
    ("stop-the-line all because of the fire", Asked("stop-the-line", reason="of the fire")),
    ("stop-the-line shop is broken", Asked("stop-the-line", reason="shop is broken")),
    ("stop-the-line for 2h", Asked("stop-the-line", until=IN_2H)),
    ("stop-the-line until lifted", Asked("stop-the-line")),
    ("stop-the-line until it is back", Asked("stop-the-line", reason="until it is back")),
    ("stop-the-line for two hours", Asked("stop-the-line", reason="for two hours")),
    ("stop-the-line for 91d", Asked("stop-the-line", reason="for 91d")),
    ("resume-the-line", Asked("resume-the-line")),
    ("resume the line, thanks", Asked("resume-the-line")),
]


@pytest.mark.parametrize(("text", "asked"), LOCKS)
def test_locks_and_a_stopped_line_need_no_end(text: str, asked: Asked) -> None:
    """An emergency stop does not fail over its wording; what is no end is a reason."""
    assert parse(text, KNOWN, NOON) == asked


@pytest.mark.parametrize(
    ("text", "override", "reason"),
    [
        ("--override “nobody can pay”", "nobody can pay", ""),
        ("--override nobody can pay", "nobody can pay", ""),
        ("--override because nobody can pay --percent 5", "nobody can pay", ""),
        ("--reason the fix --override nobody can pay", "nobody can pay", "the fix"),
        ("--override=outage because it is the fix", "outage because it is the fix", ""),
    ],
)
def test_an_override_has_its_reason_in_plain_words(text: str, override: str, reason: str) -> None:
    asked = parse(f"start shop v2 {text}", KNOWN, NOON)
    assert isinstance(asked, Asked)
    assert (asked.override, asked.reason) == (override, reason)


@pytest.mark.parametrize("text", ["--override", "--override because", "--override --percent 5"])
def test_an_override_without_a_reason_is_asked_for_one(text: str) -> None:
    answer = parse(f"start shop v2 {text}", KNOWN, NOON)
    assert isinstance(answer, Misread)
    assert answer.reason.startswith("`--override` needs a reason, which is recorded")


def test_a_freeze_without_an_end_leaves_it_open() -> None:
    """The rest of the line is its reason, whatever words it has."""
    asked = parse("freeze all for the release", KNOWN, NOON)
    assert asked == Asked("freeze", "all", reason="for the release")


@pytest.mark.parametrize(("text", "lines"), LINES)
def test_what_is_guessed_is_a_line_to_paste(text: str, lines: tuple[str, ...]) -> None:
    """Nothing that was not typed is done; the exact line for it is given."""
    answer = parse(text, KNOWN, NOON)
    assert isinstance(answer, Misread)
    assert tuple(line.text for line in answer.lines) == lines


@pytest.mark.parametrize(("text", "lines"), LINES)
def test_every_line_to_paste_is_understood(text: str, lines: tuple[str, ...]) -> None:
    """What is suggested never leads to the next refusal."""
    for line in lines:
        typed = line.replace("SERVICE", "shop").replace("REVISION", "v2")
        assert isinstance(parse(typed, KNOWN, NOON), Asked), line


@pytest.mark.parametrize("word", ["test", "foo", "x", "no-way", "everything", "sh", "v2", "now"])
def test_nothing_is_suggested_wildly(word: str) -> None:
    """A word that is near nothing gets no guess."""
    assert did_you_mean(word, (*VERBS, *KNOWN.services)) == ""


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Whatever is typed, there is an answer."""
    assert isinstance(parse(text, KNOWN, NOON), Asked | Misread)


@given(st.text(max_size=200))
def test_a_start_carries_known_names_only(text: str) -> None:
    """A service or tier that is not configured never gets through."""
    answer = parse(f"start {text}", KNOWN, NOON)
    if isinstance(answer, Asked):
        assert answer.target in {None, *KNOWN.services}
        assert answer.target or not answer.revision
        assert answer.tier in {None, *KNOWN.tiers}
        assert answer.revision.isprintable()


SPICE = st.sampled_from(
    [
        *VERBS,
        *(text for text, _ in NOT_UNDERSTOOD),
        *("shop", "payments", "shop-k3x9ab", "all", "rollback", "stop", "until", "for", "because"),
        *(
            "10m",
            "10",
            "5%",
            "18:00",
            "friday",
            "2026-05-24",
            "--tier",
            "--percent",
            '"',
            "`",
            "-",
        ),
        *("<!channel>", "<#C0SHOP001>", "<@U0ADA0001|ada>", "\u202e", "\u200b", "\u00a0", "\n"),
    ]
)


@given(st.lists(st.one_of(SPICE, st.text(max_size=8)), max_size=8).map(" ".join))
def test_only_what_was_typed_is_done(text: str) -> None:
    """Whatever the line: the verb that is done is its first word, and its target stands in it."""
    answer = parse(text, KNOWN, NOON)
    if not isinstance(answer, Asked) or answer.verb == "help":
        return
    seen = re.sub('[\u200b"`]', "", text).casefold()
    assert re.match(rf"\s*{answer.verb}\b", seen), answer
    if answer.target is not None:
        named = {answer.target, *(["everything", "*"] if answer.target == "all" else [])}
        channel = KNOWN.channels.get(answer.target, "").casefold()
        assert any(name in seen for name in (*named, *([channel] if channel else ()))), answer


@given(st.text(max_size=60), st.sampled_from(["freeze all", "lock shop", "stop-the-line"]))
def test_an_end_is_never_past(text: str, verb: str) -> None:
    """Whatever is understood as an end is later than now, and within 90 days."""
    for mark in ("until", "for"):
        answer = parse(f"{verb} {mark} {text}", KNOWN, NOON)
        if isinstance(answer, Asked) and answer.until is not None:
            assert NOON < answer.until <= NOON + timedelta(days=90)


@pytest.mark.parametrize(
    "text",
    ["untill friday 9:00", "unitl 18:00", "to 18:00", "for two hours", "forever", "indefinitely"],
)
def test_an_end_that_was_not_understood_is_asked_for(text: str) -> None:
    """A freeze that ends in a day, in silence, is not what was typed."""
    answer = parse(f"freeze shop {text}", KNOWN, NOON)
    assert isinstance(answer, Misread)
    assert answer.reason == "When does the freeze end?"
    (_, _, as_reason) = answer.lines
    assert isinstance(parse(as_reason.text, KNOWN, NOON), Asked)


@pytest.mark.parametrize("verb", ["freeze", "unfreeze", "lock", "unlock"])
def test_a_second_service_is_no_reason(verb: str) -> None:
    """Each gets a line of its own."""
    answer = parse(f"{verb} shop payments", KNOWN, NOON)
    assert isinstance(answer, Misread)
    assert [line.text for line in answer.lines] == [f"{verb} shop", f"{verb} payments"]
