"""Reads a file of SQL: its direction, its statements, and the blocks within them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Final

from bot.core.migrations.second_look import second_look
from bot.core.migrations.sql_reader import read_statement
from bot.core.migrations.sql_text import Sql, Token, UnclosedError, statements
from bot.core.migrations.steps import Kind, Step

MOST_STATEMENTS: Final = 2000
"""Statements of one file; a longer one is unclear."""
MOST_CLAUSES: Final = 200
"""Clauses of one statement; the others are unclear."""

_TEMPLATE: Final = re.compile(r"\{\{[^{}\n]*\}\}")
_MYSQL: Final = re.compile(r"`|(?i:\bengine\s*=|\bauto_increment\b)")
_SQLITE: Final = re.compile(r"(?i)\bautoincrement\b|\bpragma\b")
_TSQL: Final = re.compile(r"(?im)^go\s*$|\bnvarchar\b|\[dbo\]|\bsp_rename\b")
_STEPS_OF_CONTROL: Final = frozenset(
    {
        "begin",
        "else",
        "end",
        "exception",
        "loop",
        "then",
        "declare",
    }
)


def dialect_of(path: str, text: str) -> str:
    """Tell which database a file is written for; postgres where nothing speaks against it."""
    low = path.lower()
    for word in ("mysql", "mariadb"):
        if word in low:
            return "mysql"
    if "sqlite" in low or _SQLITE.search(text):
        return "sqlite"
    if "mssql" in low or "sqlserver" in low or _TSQL.search(text):
        return "tsql"
    if "postgres" in low or "$$" in text:
        return "postgres"
    return "mysql" if _MYSQL.search(text) else "postgres"


def read_sql(text: str, dialect: str, line: int = 1, *, second_looks: int = 0) -> Iterator[Step]:
    """Tell what SQL does, statement by statement; never raises.

    Args:
        line: of the text's first line.
        second_looks: statements that a slow parser may look at where nothing here knows them.

    """
    text = _TEMPLATE.sub("template", text)
    count = 0
    try:
        for sql in statements(text, escapes=dialect == "mysql", line=line):
            count += 1
            if count > MOST_STATEMENTS:
                detail = f"only its first {MOST_STATEMENTS} statements were read"
                yield Step(Kind.UNKNOWN, sql.line, sql.text, detail=detail)
                return
            steps = list(_checked(sql))
            if second_looks and _is_unknown(steps) and not _is_block(sql):
                second_looks -= 1
                steps = [second_look(step, sql.text, dialect) for step in steps]
            yield from steps
            yield from _unread(sql, steps)
    except UnclosedError as broken:
        yield Step(
            Kind.UNKNOWN,
            line,
            str(broken),
            detail=f"a {broken} is never closed: it was not read on",
        )


def _checked(sql: Sql) -> Iterator[Step]:
    if _is_block(sql):
        yield from _inside(sql)
        return
    steps = read_statement(sql)
    yield from islice(steps, MOST_CLAUSES)
    if next(steps, None) is not None:
        detail = f"only its first {MOST_CLAUSES} clauses were read"
        yield Step(Kind.UNKNOWN, sql.line, sql.text, detail=detail)


def _is_unknown(steps: list[Step]) -> bool:
    return all(step.kind in {Kind.UNKNOWN, Kind.CODE} for step in steps)


def _unread(sql: Sql, steps: list[Step]) -> Iterator[Step]:
    hidden = _hidden(sql) if all(step.kind in _QUIET for step in steps) else ""
    if hidden:
        detail = f"there is a {hidden} within it, which was not read"
        yield Step(Kind.UNKNOWN, sql.line, sql.text, detail=detail)


_QUIET: Final = frozenset(
    {Kind.NOTHING, Kind.CREATE, Kind.ADD_COLUMN, Kind.INSERT, Kind.SET_DEFAULT, Kind.DROP_NOT_NULL}
)
_LOUD: Final = frozenset(
    {
        ("drop", "table"),
        ("drop", "column"),
        ("drop", "view"),
        ("drop", "type"),
        ("drop", "schema"),
        ("drop", "function"),
        ("drop", "constraint"),
        ("alter", "table"),
        ("delete", "from"),
        ("truncate", "table"),
        ("rename", "column"),
    }
)


def _hidden(sql: Sql) -> str:
    """Name what stands in the middle of a harmless statement and is none: a missing semicolon."""
    if sql.runs_later:
        return ""
    for before, after in pairwise(sql.tokens[1:]):
        if (before.low, after.low) in _LOUD:
            return f"{before.text} {after.text}".upper()
    return ""


def _is_block(sql: Sql) -> bool:
    return sql.opens("do") or sql.opens("if") or (sql.opens("begin") and len(sql.tokens) > 3)


def _inside(sql: Sql) -> Iterator[Step]:
    """Read the statements within DO $$ … $$ or IF … BEGIN … END."""
    body = next((token for token in sql.tokens if token.kind == "body"), None)
    if body is not None:
        offset = sql.text.count("\n", 0, sql.text.find(body.text))
        inner = statements(body.text, line=sql.line + max(0, offset))
    else:
        inner = iter(() if sql.opens("do") else (sql,))
        if sql.opens("do"):
            yield Step(Kind.CODE, sql.line, sql.text, detail="a block of code that was not read")
    declaring = False
    for one in inner:
        declaring = declaring or one.opens("declare")
        stripped = _without_control(one)
        if stripped is None:
            continue
        if declaring and not _reads_as_statement(stripped):
            continue
        declaring = False
        yield from _block_step(stripped, sql)


_CONDITIONS: Final = frozenset({"if", "elsif", "elseif", "for", "while", "when", "foreach"})
_VERBS: Final = frozenset(
    {
        "alter",
        "create",
        "drop",
        "insert",
        "update",
        "delete",
        "execute",
        "exec",
        "perform",
        "truncate",
        "raise",
        "return",
        "null",
        "select",
        "grant",
        "revoke",
        "comment",
        "set",
        "call",
        "with",
        "rename",
        "merge",
        "sp_rename",
        "print",
        "throw",
        "get",
    }
)


_AFTER_CONDITION: Final = _VERBS - {"set", "null", "comment", "get"}
_CONDITION_ENDS: Final = frozenset({"then", "loop", "begin"})


def _reads_as_statement(sql: Sql) -> bool:
    return sql.tokens[0].low in _VERBS


def _without_control(sql: Sql) -> Sql | None:
    """Step over BEGIN, IF … THEN, ELSE, EXCEPTION WHEN … THEN; None where nothing is left."""
    tokens, at = sql.tokens, 0
    while at < len(tokens):
        low = tokens[at].low
        if low == "end":
            return None
        if low in _STEPS_OF_CONTROL:
            at += 1
        elif low in _CONDITIONS:
            ends = _end_of_condition(tokens, at)
            if ends is None:
                break
            at = ends
        else:
            break
    if at == len(tokens):
        return None
    start = tokens[at].start - tokens[0].start
    text = sql.text[start:] if 0 < start < len(sql.text) else sql.text
    return Sql(tokens[at:], text)


def _end_of_condition(tokens: Sequence[Token], start: int) -> int | None:
    """Where a condition is over: behind THEN, LOOP or BEGIN, else at the verb that follows."""
    for at in range(start, len(tokens)):
        if tokens[at].low in _CONDITION_ENDS:
            return at + 1
    depth = 0
    for at in range(start, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[at].low, 0)
        if at > start and depth == 0 and tokens[at].low in _AFTER_CONDITION:
            return at
    return None


def _block_step(sql: Sql, whole: Sql) -> Iterator[Step]:
    if sql.opens("perform"):
        yield Step(
            Kind.CODE, sql.line, sql.text, detail="it calls a function that may do anything"
        )
    elif sql.tokens[0].low in {"raise", "null", "return", "print", "throw", "get"}:
        yield Step(Kind.NOTHING, sql.line, sql.text)
    elif sql.tokens[0].low in _VERBS:
        yield from read_statement(sql)
    elif len(sql.tokens) > 2 and [token.low for token in sql.tokens[1:3]] == [":", "="]:
        yield Step(Kind.NOTHING, sql.line, sql.text)
    else:
        detail = "a block of code whose steps were not all understood"
        yield replace(Step(Kind.CODE, whole.line, whole.text), detail=detail)
