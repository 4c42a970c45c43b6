from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import clean, clip, duration, escaped, latency, percent, times


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<!here>", "&lt;!here&gt;"),
        ("<!everyone>", "&lt;!everyone&gt;"),
        ("<@U0ADA0001>", "&lt;@U0ADA0001&gt;"),
        ("<!subteam^S0APPROVE>", "&lt;!subteam^S0APPROVE&gt;"),
        ("<https://evil.example|official>", "&lt;https://evil.example|official&gt;"),
        ("a & b", "a &amp; b"),
        ("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"),
        ("v2\u202egnp.exe", "v2gnp.exe"),
        ("\u2066v2\u2069", "v2"),
        ("line\nbreak\ttab", "line break tab"),
        ("nul\x00bell\x07", "nulbell"),
        ("half \ud83d of a pair", "half  of a pair"),
        ("  ", ""),
    ],
)
def test_outside_text_is_harmless_in_mrkdwn(hostile: str, harmless: str) -> None:
    """No mention, link, turn of direction or control character survives."""
    assert escaped(hostile) == harmless


@given(st.text(max_size=400), st.integers(10, 300))
def test_escaped_text_fits_and_breaks_no_escape(value: str, longest: int) -> None:
    """The limit holds for the escaped text, and every & begins a whole entity."""
    text = escaped(value, longest)
    assert len(text) <= longest
    assert "<" not in text
    assert ">" not in text
    for piece in text.split("&")[1:]:
        assert piece.startswith(("amp;", "lt;", "gt;"))


def test_ten_thousand_characters_are_clipped() -> None:
    """A huge error ends with an ellipsis within its limit."""
    assert len(clip("x" * 10_000, 300)) == 300
    assert clip("x" * 10_000, 300).endswith("…")


@given(st.text())
def test_clean_text_is_one_line(value: str) -> None:
    """No line break of any kind is left."""
    assert len(clean(value).splitlines()) <= 1


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (percent(0), "0 %"),
        (percent(0.0052), "0.52 %"),
        (percent(0.00001), "<0.01 %"),
        (percent(0.123), "12.3 %"),
        (percent(0.9999), "100 %"),
        (latency(0.0812), "81 ms"),
        (latency(0.0012), "1.2 ms"),
        (latency(1.24), "1.2 s"),
        (times(1.62), "1.6x"),
        (times(14.2), "14x"),
        (times(123456), ">1,000x"),
        (duration(timedelta(seconds=0.42)), "0.4 s"),
        (duration(timedelta(seconds=45)), "45 s"),
        (duration(timedelta(minutes=20)), "20 min"),
        (duration(timedelta(hours=2, minutes=5)), "2 h 5 min"),
        (duration(timedelta(days=3)), "3 days"),
        (duration(timedelta(seconds=-5)), "0 s"),
    ],
)
def test_numbers_are_said_as_people_say_them(said: str, meant: str) -> None:
    """Rates, latencies, ratios, chances and spans are rounded to what matters."""
    assert said == meant
