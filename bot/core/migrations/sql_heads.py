"""Reads what a CREATE, DROP or ALTER is about: the words up to the thing's name."""

from typing import Final

from bot.core.migrations.cursor import Cursor, lows
from bot.core.migrations.sql_text import Token

THINGS: Final = frozenset(
    {
        "table",
        "view",
        "type",
        "sequence",
        "extension",
        "schema",
        "function",
        "procedure",
        "proc",
        "index",
        "trigger",
        "policy",
        "domain",
        "role",
        "user",
        "database",
        "aggregate",
        "collation",
        "cast",
        "operator",
        "rule",
        "publication",
        "subscription",
        "server",
        "statistics",
        "event",
        "constraint",
        "keyspace",
        "language",
        "synonym",
        "package",
        "conversion",
        "transform",
        "stream",
        "warehouse",
        "stage",
        "group",
        "login",
        "dictionary",
    }
)
BETWEEN: Final = frozenset(
    {
        "or",
        "replace",
        "alter",
        "temp",
        "temporary",
        "unlogged",
        "global",
        "local",
        "materialized",
        "foreign",
        "recursive",
        "unique",
        "clustered",
        "nonclustered",
        "fulltext",
        "spatial",
        "bitmap",
        "algorithm",
        "=",
        "undefined",
        "merge",
        "temptable",
        "sql",
        "definer",
        "security",
        "invoker",
        "virtual",
        "force",
        "editionable",
        "noneditionable",
        "trusted",
        "text",
        "search",
        "event",
        "access",
        "method",
        "constraint",
        "columnstore",
        "secure",
        "external",
        "transient",
        "user",
        "if",
        "not",
        "exists",
        "is",
        "null",
        "default",
        "public",
        "class",
        "family",
    }
)


def lead(cursor: Cursor) -> set[str]:
    """Step over the words between CREATE and the kind of thing; which there were."""
    said: set[str] = set()
    while cursor.low in BETWEEN and not (
        cursor.low in THINGS and Cursor(cursor.tokens, cursor.at + 1).low not in THINGS
    ):
        said.add(cursor.low)
        cursor.at += 1
        if "definer" in said and cursor.low not in BETWEEN and cursor.low not in THINGS:
            while not cursor.done and cursor.low not in {
                "view",
                "function",
                "procedure",
                "trigger",
                "event",
                "sql",
            }:
                cursor.at += 1
    return said


def what_of(cursor: Cursor) -> str:
    """Step over the kind of thing; empty of a kind that is not known."""
    what = cursor.accept_any(*THINGS)
    if what == "event" and cursor.accept("trigger"):
        return "trigger"
    return {"proc": "procedure", "domain": "type"}.get(what, what)


def name_after(tokens: tuple[Token, ...], word: str) -> str:
    """Tell the name behind a word, such as the table of a trigger."""
    low = lows(tokens)
    for at, one in enumerate(low):
        if one == word and at > 1:
            name = Cursor(tokens, at + 1).name()
            if name:
                return name
    return ""
