"""Reads a file of SQL: its direction, its statements, and the blocks within them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from bot.core.migrations.second_look import second_look
from bot.core.migrations.sql_reader import read_statement
from bot.core.migrations.sql_text import Sql, Token, UnclosedError, statements
from bot.core.migrations.steps import Kind, Step

MOST_STATEMENTS: Final = 2000
"""Statements of one file; a longer one is unclear."""

_UP: Final = re.compile(r"(?im)^[ \t]*--[ \t]*(?:\+goose up|\+migrate up|migrate:up|!ups|up\b)")
_DOWN: Final = re.compile(
    r"(?im)^[ \t]*(?:--|#)[ \t]*(?:\+goose down|\+migrate down|migrate:down|!downs|//@undo)"
)
_TEMPLATE: Final = re.compile(r"\{\{[^{}\n]*\}\}")
_BLOCK: Final = re.compile(r"(?im)^[ \t]*--[ \t]*\+(?:goose|migrate) statement(?:begin|end).*$")
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
_DEEPEST: Final = 3


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


def read_sql(text: str, dialect: str, line: int = 1) -> Iterator[Step]:
    """Tell what SQL does, statement by statement; never raises."""
    text = _TEMPLATE.sub("template", _only_up(text))
    count = 0
    try:
        for sql in statements(text, escapes=dialect == "mysql", line=line):
            count += 1
            if count > MOST_STATEMENTS:
                detail = f"only its first {MOST_STATEMENTS} statements were read"
                yield Step(Kind.UNKNOWN, sql.line, sql.text, detail=detail)
                return
            yield from _checked(sql, dialect, 0)
    except UnclosedError as broken:
        yield Step(
            Kind.UNKNOWN,
            line,
            str(broken),
            detail=f"a {broken} is never closed: it was not read on",
        )


def _only_up(text: str) -> str:
    """Blank what undoes the migration, keeping the lines."""
    text = _BLOCK.sub("", text)
    down = _DOWN.search(text)
    if down is None:
        return text
    up = _UP.search(text, down.end())
    if up is None:
        return text[: down.start()]
    blank = "\n" * text.count("\n", down.start(), up.start())
    return text[: down.start()] + blank + text[up.start() :]


def _checked(sql: Sql, dialect: str, depth: int) -> Iterator[Step]:
    steps = list(_inside(sql, depth)) if _is_block(sql) else list(read_statement(sql))
    if all(step.kind in {Kind.UNKNOWN, Kind.CODE} for step in steps) and not _is_block(sql):
        steps = [second_look(step, sql.text, dialect) for step in steps]
    yield from steps
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


def _inside(sql: Sql, depth: int) -> Iterator[Step]:
    """Read the statements within DO $$ … $$ or IF … BEGIN … END."""
    if depth >= _DEEPEST:
        yield Step(Kind.CODE, sql.line, sql.text, detail="its blocks are too deep to be read")
        return
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


def _reads_as_statement(sql: Sql) -> bool:
    return sql.tokens[0].low in _VERBS


def _without_control(sql: Sql) -> Sql | None:
    """Step over BEGIN, IF … THEN, ELSE, EXCEPTION WHEN … THEN; None where nothing is left."""
    tokens: list[Token] = list(sql.tokens)
    while tokens:
        low = tokens[0].low
        if low == "end":
            return None
        if low in _STEPS_OF_CONTROL:
            tokens.pop(0)
        elif low in _CONDITIONS:
            ends = next(
                (at for at, token in enumerate(tokens) if token.low in {"then", "loop", "begin"}),
                None,
            )
            ends = ends if ends is not None else _verb_after_condition(tokens)
            if ends is None:
                break
            del tokens[: ends + (tokens[ends].low in {"then", "loop", "begin"})]
        else:
            break
    if not tokens:
        return None
    start = tokens[0].start - sql.tokens[0].start
    text = sql.text[start:] if 0 < start < len(sql.text) else sql.text
    return Sql(tuple(tokens), text)


def _verb_after_condition(tokens: list[Token]) -> int | None:
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.low, 0)
        if at and depth == 0 and token.low in _VERBS - {"set", "null", "comment", "get"}:
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
