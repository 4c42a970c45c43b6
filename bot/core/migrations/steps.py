"""What a migration does, step by step, whichever tool it was written for."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from bot.core.assessment import Impact, Statement

LONGEST_TEXT: Final = 160
"""Characters of a statement's text."""
LONGEST_SENTENCE: Final = 300
"""Characters of why, and of a way out."""
LONGEST_LITERAL: Final = 24
"""Characters of a string in a statement; of a longer one nothing is shown."""

_LITERAL: Final = re.compile(r"'[^']*(?:'|$)")
_OPENING: Final = (
    r"(?i)\b(?:password|passwd|identified|secret|api_?key|credentials?)\b[^\w',]{0,40}"
)
_TELLING: Final = re.compile(rf"{_OPENING}(?:by[^\w']{{0,40}})?'")
_LISTED: Final = re.compile(rf"{_OPENING},")
_ORDER: Final = (Impact.ADDITIVE, Impact.UNCLEAR, Impact.NOT_ADDITIVE)


class Kind(StrEnum):
    """What a step does."""

    NOTHING = "nothing"
    CREATE = "create"
    REPLACE = "replace"
    DROP = "drop"
    RENAME = "rename"
    ADD_COLUMN = "add_column"
    DROP_COLUMN = "drop_column"
    RENAME_COLUMN = "rename_column"
    CHANGE_TYPE = "change_type"
    ALTER_FIELD = "alter_field"
    SET_NOT_NULL = "set_not_null"
    DROP_NOT_NULL = "drop_not_null"
    SET_DEFAULT = "set_default"
    DROP_DEFAULT = "drop_default"
    UNIQUE = "unique"
    CHECK = "check"
    FOREIGN_KEY = "foreign_key"
    PRIMARY_KEY = "primary_key"
    DROP_PRIMARY_KEY = "drop_primary_key"
    DROP_CONSTRAINT = "drop_constraint"
    CHANGE_VALUES = "change_values"
    POLICY = "policy"
    REVOKE = "revoke"
    EMPTY = "empty"
    DATA = "data"
    INSERT = "insert"
    CODE = "code"
    TRIGGER = "trigger"
    PARTITION = "partition"
    UNKNOWN = "unknown"
    NOTICE = "notice"


class Field(NamedTuple):
    """A column of a table that is created."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a migration.

    Attributes:
        what: the kind of thing that is created, dropped or renamed: table, view, type …
        table, columns: what it is done to; names as written, without quotes.
        name: of the thing itself, or the new name of what is renamed.
        nullable, default: of a column: whether it takes NULL, whether the database fills it.
        former, type: of a column: its type before, where the step says so, and from now on.
        unique: of a column: whether it is unique by itself.
        if_missing: of what is created: only where it is not there yet.
        fields: of a table that is created, as far as they could be read.
        detail: what is said about a step that is unclear or a notice.

    """

    kind: Kind
    line: int
    text: str
    what: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    name: str = ""
    nullable: bool = True
    default: bool = False
    former: str = ""
    type: str = ""
    unique: bool = False
    if_missing: bool = False
    fields: tuple[Field, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration file and what its statements mean for stable.

    Attributes:
        dialect: the language it was read as: postgres, mysql, sqlite, tsql, alembic, django,
            rails, or "" where it was not read.
        statements: all of them, the additive ones too, in the file's order.

    """

    path: str
    dialect: str
    statements: tuple[Statement, ...] = ()

    @property
    def worst(self) -> Impact:
        """The impact of its worst statement; additive of an empty one."""
        return max(
            (one.impact for one in self.statements), key=_ORDER.index, default=Impact.ADDITIVE
        )


def on_one_line(text: str, limit: int = LONGEST_TEXT) -> str:
    """Collapse white space, and cut off at `limit` characters."""
    line = " ".join(text[: 20 * limit].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def shown_text(text: str) -> str:
    """A statement on one line; long strings, and all those beside a secret's name, are hidden."""
    line = " ".join(text[: 20 * LONGEST_TEXT].split())
    listed = _LISTED.search(line)
    telling = _TELLING.search(line) or (listed and "'" in line[listed.end() :])
    longest = 0 if telling else LONGEST_LITERAL
    return on_one_line(
        _LITERAL.sub(lambda one: one.group() if len(one.group()) <= longest else "'…'", line)
    )
