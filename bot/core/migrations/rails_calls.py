"""What each method of a Rails migration does."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from bot.core.migrations.steps import Kind, Step

COLUMN_TYPES: Final = frozenset(
    {
        "string",
        "text",
        "integer",
        "bigint",
        "float",
        "decimal",
        "numeric",
        "datetime",
        "timestamp",
        "timestamptz",
        "time",
        "date",
        "binary",
        "boolean",
        "json",
        "jsonb",
        "uuid",
        "inet",
        "citext",
        "hstore",
        "tsvector",
        "enum",
        "blob",
        "virtual",
        "daterange",
        "int4range",
        "primary_key",
        "column",
        "cidr",
        "macaddr",
        "tsrange",
        "tstzrange",
        "interval",
        "point",
        "serial",
        "bigserial",
    }
)
SILENT: Final = frozenset(
    {
        "disable_ddl_transaction!",
        "say",
        "say_with_time",
        "puts",
        "transaction",
        "enable_extension",
        "raise",
        "p",
        "milestone",
        "restrict_gitlab_migration",
        "suppress_messages",
        "end",
        "set_statement_timeout",
        "disable_statement_timeout",
        "private",
        "validate_foreign_key",
        "validate_check_constraint",
        "validate_constraint",
        "change_table_comment",
        "change_column_comment",
        "with_lock_retries",
        "reversible",
        "require",
        "uses_transaction",
    }
)
_TYPES: Final = {"string": "varchar", "integer": "int", "decimal": "numeric"}


class Call:
    """A call's arguments: those by position as names, those by key as text.

    `rest` is all that follows the name, with single blanks.
    """

    def __init__(self, name: str, rest: str) -> None:
        self.name = name
        self.positional: list[str] = []
        self.options: dict[str, str] = {}
        rest = re.sub(r" ?(?:do ?(?:\|\w+\|)?|\{)$", "", rest.strip())
        for part in _parts(rest):
            keyed = re.match(r"^:?(\w+)(?:: |:(?=[\"'\[])| ?=> ?)(.*)$", part, re.DOTALL)
            if keyed:
                self.options[keyed.group(1)] = keyed.group(2).strip()
            elif part:
                self.positional.append(part)

    def at(self, index: int) -> str:
        """The name at a position; of what is no literal its text in braces."""
        if index >= len(self.positional):
            return ""
        found = re.match(r"^:?[\"']?([\w.]+)[\"']?$", self.positional[index])
        return found.group(1) if found else "${" + self.positional[index][:40] + "}"

    def names(self, index: int) -> tuple[str, ...]:
        """The names of a list, or the one name."""
        text = (
            self.positional[index]
            if index < len(self.positional)
            else self.options.get("column", "")
        )
        if text.startswith("%"):
            return tuple(re.findall(r"\w+", text[2:]))
        if not re.fullmatch(r"\[?[\s:\w\"',.]*\]?", text):
            return ()
        return tuple(re.findall(r"\w+", text))

    def says(self, option: str, value: str) -> bool:
        """Whether an option has this value."""
        return self.options.get(option, "") == value


def _parts(text: str) -> list[str]:
    cut: list[str] = []
    start, end, depth, quote = 0, len(text), 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                end = at
                break
        if char == "," and depth == 0 and not quote:
            cut.append(text[start:at].strip())
            start = at + 1
    return [*cut, text[start:end].strip()]


Reader = Callable[[Call, Step], Iterator[Step]]


def _column(call: Call, step: Step, written: str) -> Step:
    default = call.options.get("default", "nil") != "nil" or written in {
        "virtual",
        "serial",
        "bigserial",
    }
    limit = call.options.get("limit", "")
    kind = _TYPES.get(written, written)
    if "default" not in call.options and "as" in call.options:
        default = True
    return replace(
        step,
        nullable=not call.says("null", "false"),
        default=default,
        type=f"{kind}({limit})" if kind == "varchar" and limit.isdigit() else kind,
    )


def _add_column(call: Call, base: Step) -> Iterator[Step]:
    step = replace(base, kind=Kind.ADD_COLUMN, table=call.at(0), columns=(call.at(1),))
    yield _column(call, step, call.at(2))


def _add_reference(call: Call, base: Step) -> Iterator[Step]:
    step = replace(base, kind=Kind.ADD_COLUMN, table=call.at(0), columns=(f"{call.at(1)}_id",))
    yield _column(call, step, "bigint")


def _timestamps(call: Call, base: Step) -> Iterator[Step]:
    step = replace(
        base, kind=Kind.ADD_COLUMN, table=call.at(0), columns=("created_at", "updated_at")
    )
    filled = call.options.get("default", "nil") != "nil"
    yield replace(step, nullable=call.says("null", "true"), default=filled)


def _drop_columns(call: Call, base: Step) -> Iterator[Step]:
    columns = tuple(call.at(at) for at in range(1, len(call.positional)))
    columns = columns[:1] if call.name == "remove_column" else columns
    if call.name in {"remove_reference", "remove_belongs_to"}:
        columns = tuple(f"{one}_id" for one in columns[:1])
    if call.name == "remove_timestamps":
        columns = ("created_at", "updated_at")
    yield replace(base, kind=Kind.DROP_COLUMN, table=call.at(0), columns=columns)


def _change_column(call: Call, base: Step) -> Iterator[Step]:
    step = replace(base, kind=Kind.CHANGE_TYPE, table=call.at(0), columns=(call.at(1),))
    yield _column(call, step, call.at(2))


def _change_null(call: Call, base: Step) -> Iterator[Step]:
    kind = Kind.DROP_NOT_NULL if call.at(2) == "true" else Kind.SET_NOT_NULL
    yield replace(base, kind=kind, table=call.at(0), columns=(call.at(1),))


def _change_default(call: Call, base: Step) -> Iterator[Step]:
    to = call.options.get("to", call.positional[2] if len(call.positional) > 2 else "nil")
    kind = Kind.DROP_DEFAULT if to == "nil" else Kind.SET_DEFAULT
    yield replace(base, kind=kind, table=call.at(0), columns=(call.at(1),))


def _index(call: Call, base: Step) -> Iterator[Step]:
    plain = call.options.get("unique", "false") == "false"
    columns = call.names(1) if not call.says("nulls_not_distinct", "true") else ()
    kind = Kind.CREATE if plain else Kind.UNIQUE
    yield replace(base, kind=kind, what="index", table=call.at(0), columns=columns)


def _foreign_key(call: Call, base: Step) -> Iterator[Step]:
    column = call.options.get("column", "").strip(":\"'")
    columns = (column,) if column else (re.sub(r"s$", "", call.at(1)) + "_id",)
    yield replace(base, kind=Kind.FOREIGN_KEY, table=call.at(0), columns=columns)


def _rename_column(call: Call, base: Step) -> Iterator[Step]:
    yield replace(
        base, kind=Kind.RENAME_COLUMN, table=call.at(0), columns=(call.at(1),), name=call.at(2)
    )


def _rename_table(call: Call, base: Step) -> Iterator[Step]:
    yield replace(base, kind=Kind.RENAME, what="table", table=call.at(0), name=call.at(1))


def _made(kind: Kind, what: str) -> Reader:
    def read(call: Call, base: Step) -> Iterator[Step]:
        name = call.at(0)
        if call.name.endswith("join_table"):
            name = "_".join(sorted((call.at(0), call.at(1))))
        table = name if what == "table" else ""
        anew = kind is Kind.CREATE and call.says("force", "true")
        if anew or (kind is Kind.CREATE and call.options.get("force", "").endswith("cascade")):
            yield replace(base, kind=Kind.DROP, what=what, name=name, table=table)
        yield replace(base, kind=kind, what=what, name=name, table=table)

    return read


def _on_table(kind: Kind) -> Reader:
    def read(call: Call, base: Step) -> Iterator[Step]:
        yield replace(base, kind=kind, table=call.at(0), name=call.at(1), what="index")

    return read


def table_call(call: Call, base: Step, table: str) -> Iterator[Step]:
    """Read a call on `t` within `change_table`."""
    call.positional.insert(0, table)
    if call.name in COLUMN_TYPES:
        step = replace(base, kind=Kind.ADD_COLUMN, table=table)
        last = 2 if call.name == "column" else len(call.positional)
        for at in range(1, last):
            written = call.at(2) if call.name == "column" else call.name
            yield _column(call, replace(step, columns=(call.at(at),)), written)
        return
    name = {
        "references": "add_reference",
        "belongs_to": "add_reference",
        "timestamps": "add_timestamps",
        "remove": "remove_columns",
        "rename": "rename_column",
        "change": "change_column",
        "index": "add_index",
        "change_default": "change_column_default",
        "foreign_key": "add_foreign_key",
        "change_null": "change_column_null",
        "check_constraint": "add_check_constraint",
    }.get(call.name, call.name)
    if name.startswith("remove_") and name not in CALLS:
        name = "remove_columns"
    call.name = name
    reader = CALLS.get(name)
    if reader is None:
        yield replace(base, detail=f"nobody has taught the bot what t.{name} does")
        return
    yield from reader(call, base)


CALLS: Final[dict[str, Reader]] = {
    "add_column": _add_column,
    "add_columns": lambda call, base: iter([replace(base, table=call.at(0))]),
    "add_reference": _add_reference,
    "add_belongs_to": _add_reference,
    "add_timestamps": _timestamps,
    "remove_column": _drop_columns,
    "remove_columns": _drop_columns,
    "remove_reference": _drop_columns,
    "remove_belongs_to": _drop_columns,
    "remove_timestamps": _drop_columns,
    "change_column": _change_column,
    "change_column_null": _change_null,
    "change_column_default": _change_default,
    "add_index": _index,
    "add_concurrent_index": _index,
    "remove_index": _on_table(Kind.DROP),
    "rename_index": _on_table(Kind.NOTHING),
    "remove_concurrent_index": _on_table(Kind.DROP),
    "remove_concurrent_index_by_name": _on_table(Kind.DROP),
    "add_foreign_key": _foreign_key,
    "add_concurrent_foreign_key": _foreign_key,
    "remove_foreign_key": _on_table(Kind.DROP_CONSTRAINT),
    "remove_check_constraint": _on_table(Kind.DROP_CONSTRAINT),
    "add_check_constraint": _on_table(Kind.CHECK),
    "add_exclusion_constraint": _on_table(Kind.UNIQUE),
    "add_unique_constraint": lambda call, base: iter(
        [replace(base, kind=Kind.UNIQUE, table=call.at(0), columns=call.names(1))]
    ),
    "rename_column": _rename_column,
    "rename_table": _rename_table,
    "create_table": _made(Kind.CREATE, "table"),
    "create_join_table": _made(Kind.CREATE, "table"),
    "drop_table": _made(Kind.DROP, "table"),
    "drop_join_table": _made(Kind.DROP, "table"),
    "create_view": _made(Kind.CREATE, "view"),
    "update_view": _made(Kind.REPLACE, "view"),
    "replace_view": _made(Kind.REPLACE, "view"),
    "drop_view": _made(Kind.DROP, "view"),
    "create_function": _made(Kind.CREATE, "function"),
    "create_enum": _made(Kind.CREATE, "type"),
    "drop_enum": _made(Kind.DROP, "type"),
    "add_enum_value": _on_table(Kind.NOTHING),
    "rename_enum_value": _on_table(Kind.CHANGE_VALUES),
    "create_schema": _made(Kind.CREATE, "schema"),
    "disable_extension": _made(Kind.DROP, "extension"),
}
