import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.grammar import Asked, Known, Misread, parse

KNOWN = Known(("payments", "shop"), ("safe", "risky"))

UNDERSTOOD: list[tuple[str, Asked]] = [
    ("", Asked("help")),
    ("   ", Asked("help")),
    ("help", Asked("help")),
    ("HELP", Asked("help")),
    ("list", Asked("list")),
    ("list everything", Asked("list")),
    ("status", Asked("status")),
    ("status shop", Asked("status", "shop")),
    ("Status SHOP", Asked("status", "shop")),
    ("status shop-k3x9ab", Asked("status", "shop-k3x9ab")),
    ("status SHOP-K3X9AB", Asked("status", "shop-k3x9ab")),
    ("status <#C0SHOP001|shop>", Asked("status", "shop")),
    ("status #shop", Asked("status", "shop")),
    ("start shop v2", Asked("start", "shop", "v2")),
    ("start  shop   v2 ", Asked("start", "shop", "v2")),
    ("start shop v2 --percent 5", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 --percent=5", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 --percent=5%", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 --percent 5 %", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 percent=5", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 --percent 0,5", Asked("start", "shop", "v2", percent="0.5")),
    ("start shop v2 --PERCENT 5", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 —percent 5", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 \u2013percent 5", Asked("start", "shop", "v2", percent="5")),
    ("start shop v2 —window=20m", Asked("start", "shop", "v2", window="20m")),
    ("start shop v2 --window 1h30m", Asked("start", "shop", "v2", window="1h30m")),
    ("start shop v2 --tier risky", Asked("start", "shop", "v2", tier="risky")),
    ("start --tier risky shop v2", Asked("start", "shop", "v2", tier="risky")),
    (
        "start shop v2 --percent 5 --window 20m --tier safe",
        Asked("start", "shop", "v2", percent="5", window="20m", tier="safe"),
    ),
    ('start shop "v2"', Asked("start", "shop", "v2")),
    ("start shop “v2”", Asked("start", "shop", "v2")),
    ("start shop „v2“", Asked("start", "shop", "v2")),
    ("start shop v2-rc.1+build=7", Asked("start", "shop", "v2-rc.1+build=7")),
    ("start shop sha256:0123abcd", Asked("start", "shop", "sha256:0123abcd")),
    ("start shop it's", Asked("start", "shop", "it's")),
    ("start shop v2#3", Asked("start", "shop", "v2#3")),
    ("start shop a\\b", Asked("start", "shop", "a\\b")),
    ("start shop <http://v2.example|v2.example>", Asked("start", "shop", "v2.example")),
    ("start shop <https://ci.example/7>", Asked("start", "shop", "https://ci.example/7")),
    ("start shop <mailto:v2@ci.example|v2@ci.example>", Asked("start", "shop", "v2@ci.example")),
    ("start shop <@U0ADA0001|ada>", Asked("start", "shop", "@ada")),
    ("start shop <@U0ADA0001>", Asked("start", "shop", "@U0ADA0001")),
    ("start shop <!channel>", Asked("start", "shop", "channel")),
    ("start shop <!subteam^S0APPROVE|@approvers>", Asked("start", "shop", "approvers")),
    ("start shop &lt;!channel&gt;", Asked("start", "shop", "<!channel>")),
    ("start shop a&amp;b", Asked("start", "shop", "a&b")),
    ("start shop “v2", Asked("start", "shop", "v2")),
    (f"start shop {'x' * 100}", Asked("start", "shop", "x" * 100)),
    ("abort", Asked("abort")),
    ("abort shop", Asked("abort", "shop")),
    ("abort shop latency looks bad", Asked("abort", "shop", reason="latency looks bad")),
    ("abort shop it's slow, don't wait", Asked("abort", "shop", reason="it's slow, don't wait")),
    ("abort shop “too slow”", Asked("abort", "shop", reason="too slow")),
    ("abort shop-k3x9ab", Asked("abort", "shop-k3x9ab")),
    ("abort now", Asked("abort", reason="now")),
    ("abort latency looks bad", Asked("abort", reason="latency looks bad")),
    ("abort <@U0ADA0001|ada> says so", Asked("abort", reason="@ada says so")),
    ("approve", Asked("approve")),
    ("approve payments", Asked("approve", "payments")),
    ("pause shop", Asked("pause", "shop")),
    ("resume shop-k3x9ab", Asked("resume", "shop-k3x9ab")),
]

NOT_UNDERSTOOD: list[tuple[str, str]] = [
    ("strat shop v2", "Did you mean `start`?"),
    ("rollback shop", "Did you mean `abort`?"),
    ("stop", "Did you mean `abort`?"),
    ("promote shop", "Did you mean `approve`?"),
    ("deploy shop v2", "Did you mean `start`?"),
    ("abrot", "Did you mean `abort`?"),
    ("xyzzy", "Known: start, status"),
    ("start", "needs a service and a revision"),
    ("start shop", "needs a revision"),
    ("start shpo v2", "Did you mean `shop`?"),
    ("start orders v2", "Known: payments, shop"),
    ("start shop v2 extra words", "what is “extra words”?"),
    ("start shop v2 --percnt 5", "Did you mean `percent`?"),
    ("start shop v2 --weight 5", "Known: percent, window, tier"),
    ("start shop v2 --percent", "needs a value"),
    ("start shop v2 --percent --window 20m", "needs a value"),
    ("start shop v2 --percent=", "needs a value"),
    ("start shop v2 --percent 5 --percent 6", "given twice"),
    ("start shop v2 --tier riskyy", "Did you mean `risky`?"),
    ("start shop v2 --tier yolo", "Known: safe, risky"),
    (f"start shop {'x' * 101}", "at most 100 characters"),
    ("start shop v2\u202egpj", "visible characters"),
    ('start shop "v 2"', "without spaces"),
    ("status shpo", "Did you mean `shop`?"),
    ("status shop payments", "takes one service"),
    ("abort shpo", "Did you mean `shop`?"),
    ("abort shpo is slow", "Did you mean `shop`?"),
    ("approve everything", "There is no service or canary id"),
    ("pause shop now", "takes one service"),
]


@pytest.mark.parametrize(("text", "asked"), UNDERSTOOD)
def test_what_is_meant_is_understood(text: str, asked: Asked) -> None:
    """Every form a person may type or paste is read as what they mean."""
    assert parse(text, KNOWN) == asked


@pytest.mark.parametrize(("text", "said"), NOT_UNDERSTOOD)
def test_what_is_not_understood_is_explained(text: str, said: str) -> None:
    """A mistake changes nothing and names the known choices or the likely one."""
    answer = parse(text, KNOWN)
    assert isinstance(answer, Misread)
    assert said in f"{answer.reason} {answer.hint}"


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Whatever is typed, there is an answer."""
    assert isinstance(parse(text, KNOWN), Asked | Misread)


@given(st.text(max_size=200))
def test_a_start_carries_known_names_only(text: str) -> None:
    """A service or tier that is not configured never gets through."""
    answer = parse(f"start {text}", KNOWN)
    if isinstance(answer, Asked):
        assert answer.target in KNOWN.services
        assert answer.tier in {None, *KNOWN.tiers}
        assert answer.revision.isprintable()
