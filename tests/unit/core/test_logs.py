"""Tracebacks, bounds and idempotence of signatures, and which lines are errors."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.logs import LONGEST_SIGNATURE, distinct, is_error, signature

PYTHON = """Traceback (most recent call last):
  File "/app/shop/checkout.py", line 42, in checkout
    total(order)
  File "/app/shop/price.py", line {line}, in total
    cursor.execute(query)
psycopg2.errors.UndefinedColumn: column "discount" does not exist
LINE 1: SELECT discount FROM orders
               ^
"""
CHAINED = """Traceback (most recent call last):
  File "/app/a.py", line 1, in read
    x[1]
KeyError: 1

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/b.py", line 2, in fall_back
    raise ValueError("no order")
ValueError: no order
"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "a.py", line 3, in <module>
  |     raise ExceptionGroup("boom", [ValueError(1)])
  | ExceptionGroup: boom (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "a.py", line 3, in pay
    | ValueError: 1
    +------------------------------------
"""
JAVA = """2026-03-02 12:00:00 ERROR [main] c.a.shop.Checkout - Checkout failed
java.lang.IllegalStateException: order 4711
\tat com.acme.shop.Checkout.pay(Checkout.java:12)
\tat com.acme.Main.main(Main.java:3)
Caused by: org.postgresql.util.PSQLException: ERROR: column "discount" does not exist
\tat org.postgresql.core.v3.QueryExecutor.receive(QueryExecutor.java:2713)
\t... 12 more
"""
NODE = """TypeError: Cannot read properties of undefined (reading 'total')
    at checkout (/app/src/checkout.js:10:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
"""
GO = """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.checkout(0xc000012345, 0x5)
\t/app/main.go:12 +0x1d
main.main()
\t/app/main.go:5 +0x20
"""
RUBY = """NoMethodError (undefined method `total' for nil:NilClass):

app/models/order.rb:12:in `price'
app/controllers/orders_controller.rb:3:in `create'
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PYTHON.format(line=7),
            'psycopg2.errors.UndefinedColumn: column "discount" does not exist [in total]',
        ),
        (
            PYTHON.format(line=99).replace("\n", "\\n"),
            'psycopg2.errors.UndefinedColumn: column "discount" does not exist [in total]',
        ),
        (
            f"12:00:00 ERROR request failed\n{PYTHON.format(line=7)}",
            'psycopg2.errors.UndefinedColumn: column "discount" does not exist [in total]',
        ),
        (CHAINED, "ValueError: no order [in fall_back]"),
        (GROUP, "ValueError: <n> [in pay]"),
        (
            JAVA,
            (
                'org.postgresql.util.PSQLException: ERROR: column "discount" does not exist'
                " [in QueryExecutor.receive]"
            ),
        ),
        (
            "java.lang.IllegalStateException: order 1\n\tat com.acme.Checkout.pay(Checkout.java:1)",
            "java.lang.IllegalStateException: order <n> [in Checkout.pay]",
        ),
        (NODE, "TypeError: Cannot read properties of undefined (reading 'total') [in checkout]"),
        (
            "Error: boom\n    at /app/src/index.js:3:1\n    at main (/app/src/index.js:9:1)",
            "Error: boom",
        ),
        (GO, "panic: runtime error: index out of range [<n>] with length <n> [in main.checkout]"),
        (RUBY, "NoMethodError (undefined method `total' for nil:NilClass): [in price]"),
        (
            (
                "app/order.rb:12:in `price': undefined method `x' for nil (NoMethodError)\n"
                "\tfrom app/order.rb:1:in `<main>'"
            ),
            "undefined method `x' for nil (NoMethodError) [in price]",
        ),
        (PYTHON.format(line=7)[:34], "Traceback (most recent call last):"),
        ("two lines\nof no traceback", "two lines of no traceback"),
    ],
)
def test_a_traceback_is_its_exception_and_the_function_it_came_from(
    text: str, expected: str
) -> None:
    """A traceback of any of five languages becomes one line that says what and where."""
    assert signature(text) == expected
    assert is_error("info", text) == (text != "two lines\nof no traceback")


def test_a_long_traceback_keeps_its_exception() -> None:
    """A traceback longer than what is looked at still ends in its exception."""
    frame = '  File "/app/shop/recursion.py", line 42, in deeper\n    return deeper(order)\n'
    text = f"Traceback (most recent call last):\n{frame * 1000}RecursionError: too deep\n"
    assert signature(text) == "RecursionError: too deep [in deeper]"


def test_a_signature_is_bounded() -> None:
    """However long a line is, its signature fits into a message."""
    assert len(signature("word " * 100_000)) <= LONGEST_SIGNATURE
    assert len(signature("x" * 100_000)) <= LONGEST_SIGNATURE


def test_a_signature_holds_no_secret() -> None:
    """What is masked in a line is masked in its signature as well."""
    for line in ("login failed: password=hunter2xyz", "GET https://bob:hunter2xyz@db/x failed"):
        assert "hunter2xyz" not in signature(line)


PIECES = st.sampled_from(
    [
        *(
            "'",
            '"',
            "`",
            " ",
            "\n",
            "\n\tat ",
            "<",
            ">",
            "<n>",
            "\\",
            '\\"',
            ":",
            "/",
            "@",
            "?a=b",
        ),
        *("ORA-00904", "SQLSTATE 42703", "12:00:00", "2026-03-02", "0x1f", "[Errno 2]", "E0302 "),
        *("Traceback (most recent call last)", '\n  File "a", line 1, in f', "column ", "msg="),
        *("token=", "v2", "utf8", "a1b2c3d4", "…", "::", "1.2.3.4", "status=500", "key (a)=(b)"),
        *("x" * 50, "word " * 20, "panic: ", "\ngoroutine 1\nmain.f(1)\n", "Caused by: X", "é"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=6), max_size=14).map("".join))
@example("(" + "x" * 150 + "SQLSTATE 42703")
@example("a" * 158 + " <uuid>")
def test_the_signature_of_a_signature_is_itself(line: str) -> None:
    """Naming what varies a second time finds nothing more."""
    once = signature(line)
    assert signature(once) == once
    assert len(once) <= LONGEST_SIGNATURE
    assert "\n" not in once


@pytest.mark.parametrize(
    ("level", "text", "counts"),
    [
        ("error", "x", True),
        ("ERROR", "x", True),
        ("Fatal", "x", True),
        (" critical ", "x", True),
        ("SEVERE", "x", True),
        ("50", "x", True),
        ("60", "x", True),
        ("40", "x", False),
        ("30", "x", False),
        ("info", "x", False),
        ("warning", "x", False),
        ("debug", "0 errors, ErrorHandler ready", False),
        ("info", "poll failed: Traceback (most recent call last): …", True),
        ("info", "sqlalchemy.exc.DataError: bad value", True),
        ("info", "retry after TimeoutError", True),
        ("info", "java.lang.IllegalStateException: x", True),
        ("warning", "column orders.discount does not exist", True),
        ("info", "migration drift: 0042 is not applied", True),
        ("info", "2 unapplied migrations", True),
        ("info", "panic: runtime error", True),
        (None, "2026-03-02 12:00:00 ERROR x", True),
        (None, "level=error msg=x", True),
        (None, '{"severity": "critical"}', True),
        (None, "2026/03/02 12:00:00 [error] 7#7: upstream timed out", True),
        (None, "E0302 12:00:00.1 1 a.go:1] x", True),
        (None, "Error: connect ECONNREFUSED", True),
        (None, "2026-03-02 12:00:00 INFO ready, no error seen", False),
        (None, "", False),
    ],
)
def test_an_error_is_known_by_its_level_or_its_text(
    level: str | None, text: str, *, counts: bool
) -> None:
    """Levels count by name or number; a traceback counts at any level."""
    assert is_error(level, text) is counts


def test_evidence_shows_each_kind_of_line_once() -> None:
    """The newest of each kind stays, with how often it came, the newest kind last."""
    lines = ["order 1 failed", "order 2 failed", "DataError: no", "order 3 failed"]

    assert distinct(lines, 5) == ("DataError: no", "3 x order 3 failed")
    assert distinct(lines, 1) == ("3 x order 3 failed",)
    assert distinct(lines, 0) == ()


def test_what_only_the_canary_logs_comes_first() -> None:
    """A line that stable logs as well explains nothing, and stands behind all that are new."""
    lines = ["order 1 failed", "DataError: no", "order 2 failed", "cache is cold"]
    known = {signature("order 1 failed"), signature("cache is cold")}
    assert distinct(lines, 5, known) == ("DataError: no", "2 x order 2 failed", "cache is cold")
    assert distinct(lines, 1, known) == ("DataError: no",)
    assert distinct(lines, 2, known) == ("DataError: no", "cache is cold")
