"""Reads the definition of a column as SQL writes it after ADD, MODIFY or CHANGE."""

from typing import Final, NamedTuple

from bot.core.migrations.cursor import Cursor, has, outer, parts, written
from bot.core.migrations.sql_text import Token
from bot.core.migrations.steps import Field

_ENDS_TYPE: Final = frozenset(
    {
        "not",
        "null",
        "default",
        "unique",
        "primary",
        "references",
        "check",
        "generated",
        "identity",
        "auto_increment",
        "autoincrement",
        "constraint",
        "collate",
        "comment",
        "after",
        "first",
        "as",
        "key",
        "using",
        "on",
        "character set",
        "charset",
        "visible",
        "invisible",
        "virtual",
        "stored",
        "persisted",
        "encode",
        "storage",
        "compression",
    }
)
_RULES: Final = frozenset(
    {
        "primary",
        "unique",
        "foreign",
        "constraint",
        "check",
        "key",
        "index",
        "like",
        "exclude",
        "fulltext",
    }
)
_SERIAL: Final = frozenset(
    {"serial", "bigserial", "smallserial", "serial4", "serial8", "rowversion"}
)


class Column(NamedTuple):
    """What a definition says of its column; `key` of a primary key, `reference` of a foreign one."""

    type: str
    nullable: bool
    default: bool
    unique: bool
    key: bool


def column_of(tokens: tuple[Token, ...]) -> Column:
    """Read what follows a column's name."""
    cursor = Cursor(tokens)
    start = cursor.at
    while not cursor.done and cursor.low not in _ENDS_TYPE:
        if cursor.low == "(":
            cursor.bracket()
        else:
            cursor.at += 1
    kind = written(tokens[start : cursor.at])
    said = outer(tokens)
    key = has(said, "primary", "key")
    filled = (has(said, "default") and not has(said, "default", "null")) or _by_itself(said, kind)
    required = has(said, "not", "null") or key
    return Column(kind, not required, filled, has(said, "unique") or key, key)


def fields_of(inside: tuple[Token, ...]) -> tuple[Field, ...]:
    """The columns that CREATE TABLE lists between its parentheses."""
    found: list[Field] = []
    for part in parts(inside):
        cursor = Cursor(part)
        if cursor.low in _RULES:
            continue
        name = cursor.name()
        if name and not cursor.done:
            column = column_of(cursor.rest())
            found.append(Field(name, column.type, column.nullable))
    return tuple(found)


def _by_itself(said: tuple[Token, ...], kind: str) -> bool:
    """Whether the database fills the column without a default."""
    if kind.lower() in _SERIAL:
        return True
    return any(
        has(said, word)
        for word in ("generated", "identity", "auto_increment", "autoincrement", "as")
    )
