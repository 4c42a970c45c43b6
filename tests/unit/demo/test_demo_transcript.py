"""Slack's blocks as text, and the conversation printed once."""

import io
from typing import Any

from rich.console import Console

from bot.demo.blocks import buttons, headline, lines_of, plain
from bot.demo.transcript import PROGRESS_SECONDS, Transcript

NAMES = {"U1": "ada", "S1": "release-approvers", "C1": "deploys", "UB": "canary"}


def name(user: str) -> str:
    """What people call an id."""
    return NAMES.get(user, user)


def a_message(head: str = "👀 shop v2 at 10 %", **changes: Any) -> dict[str, Any]:
    """A live message as Slack shows it."""
    line = [{"type": "text", "text": "by "}, {"type": "user", "user_id": "U1"}]
    section = {"type": "rich_text_section", "elements": line}
    cells = [[{"type": "raw_text", "text": t} for t in row] for row in (("SLO", "Is"), ("a", "b"))]
    button = {"type": "button", "action_id": "canary_abort", "text": {"text": "Abort"}}
    return {
        "ts": "1.1",
        "user": "UB",
        "text": f"{head}: all well, 9 s left.",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": head}},
            {"type": "rich_text", "elements": [section]},
            {"type": "table", "rows": cells},
            {"type": "actions", "elements": [button]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "`id` · updated now"}]},
        ],
    } | changes


class Screen:
    """A transcript on a terminal and a clock of the test's own."""

    def __init__(self) -> None:
        self.now = 0.0
        self._file = io.StringIO()
        console = Console(file=self._file, width=200)
        self.transcript = Transcript(console, name, lambda: self.now)

    def read(self) -> str:
        """What was printed since the last read."""
        text = self._file.getvalue()
        self._file.truncate(0)
        self._file.seek(0)
        return text


def test_blocks_become_the_lines_a_person_reads() -> None:
    """Headline, people by name, the table in columns, buttons in brackets."""
    assert lines_of(a_message(), name)[:5] == [
        "👀 shop v2 at 10 %",
        "by @ada",
        "SLO  Is",
        "a    b",
        "[Abort]",
    ]
    assert headline(a_message()) == "👀 shop v2 at 10 %"
    assert list(buttons(a_message())) == [("Abort", "canary_abort")]


def test_markup_is_shown_without_its_marks() -> None:
    """Mentions, dates and escapes read as Slack shows them."""
    text = "<@U1> <#C1> <!subteam^S1> <!date^1^{time}|12:00> <https://x.y|here> a &lt; b &amp;amp;"
    assert plain(text, name) == "@ada #deploys @release-approvers 12:00 here a < b &amp;"


def test_a_message_is_printed_once() -> None:
    """Looking again at an unchanged channel prints nothing."""
    screen = Screen()
    screen.transcript.show([a_message()])
    assert "by @ada" in screen.read()
    screen.transcript.show([a_message()])
    assert screen.read() == ""


def test_a_new_headline_is_printed_at_once() -> None:
    """A change of state is one line."""
    screen = Screen()
    screen.transcript.show([a_message()])
    screen.read()
    screen.transcript.show([a_message("↩️ shop v2 rolled back")])
    assert screen.read().strip().splitlines() == [
        "0.0 s  canary   ✎ ↩️ shop v2 rolled back: all well, 9 s left."
    ]


def test_progress_is_printed_now_and_then() -> None:
    """Edits that change only numbers do not flood the terminal."""
    screen = Screen()
    screen.transcript.show([a_message()])
    screen.read()
    screen.now = PROGRESS_SECONDS / 2
    screen.transcript.show([a_message(text="👀 shop v2 at 10 %: 8 s left")])
    assert screen.read() == ""
    screen.now = PROGRESS_SECONDS
    screen.transcript.show([a_message(text="👀 shop v2 at 10 %: 7 s left")])
    assert "7 s left" in screen.read()


def test_thread_replies_are_set_in_and_private_answers_say_for_whom() -> None:
    """Who sees what can be told from the terminal."""
    screen = Screen()
    screen.transcript.show(
        [
            {"ts": "2.1", "thread_ts": "1.1", "user": "UB", "text": "one\ntwo", "broadcast": True},
            {"ts": "3.1", "user": "UB", "text": "no", "ephemeral_for": "U1"},
        ]
    )
    printed = screen.read()
    assert "  ↳ one" in printed
    assert "shown in the channel too" in printed
    assert "(only ada sees this) no" in printed
