"""What a step of a migration means for stable, which reads and writes on with the old code."""

from typing import Final, NamedTuple

from bot.core.assessment import Impact, Statement
from bot.core.migrations.known import Known, plain
from bot.core.migrations.sizes import widens
from bot.core.migrations.steps import LONGEST_SENTENCE, Kind, Step, on_one_line, shown_text
from bot.core.migrations.ways import (
    ADD_CHECK,
    ADD_FIELD,
    ADD_FILLED,
    ADD_UNIQUE,
    BACKFILL,
    CHANGE_TYPE,
    DROP_COLUMN,
    DROP_THING,
    KEEP_DEFAULT,
    LOOK,
    PARTITION,
    POLICY,
    PRIMARY_KEY,
    RENAME_COLUMN,
    RENAME_THING,
    REPLACE,
    REVOKE,
    SET_NOT_NULL,
    TRIGGER,
    VALUES,
)


class Verdict(NamedTuple):
    """What a step means: how bad, why, and how it is done safely."""

    impact: Impact
    why: str
    way_out: str = ""


def state(path: str, step: Step, known: Known) -> Statement:
    """Judge a step after all that came before it, and learn from it."""
    verdict = weigh(step, known)
    known.note(step)
    return Statement(
        path,
        step.line,
        shown_text(step.text),
        verdict.impact,
        on_one_line(verdict.why, LONGEST_SENTENCE),
        on_one_line(verdict.way_out, LONGEST_SENTENCE),
    )


def weigh(step: Step, known: Known) -> Verdict:
    """Say what a step means for a stable revision that knows nothing of what is new."""
    if step.kind is Kind.NOTHING:
        return _fine(step.detail or "nothing in the schema or the data changes")
    if (
        step.table
        and known.is_new("table", step.table)
        and step.kind
        not in _NEVER_NEW | (_OF_OLD_ONES if known.may_be_old(step.table) else frozenset())
    ):
        return _fine(f"the table {step.table} is new in this change, so stable does not use it")
    match step.kind:
        case Kind.ADD_COLUMN:
            return _add_column(step, known)
        case Kind.CHANGE_TYPE:
            return _change_type(step, known)
        case Kind.ALTER_FIELD:
            return _alter_field(step, known)
        case Kind.UNIQUE | Kind.CHECK | Kind.FOREIGN_KEY:
            return _constraint(step, known)
        case Kind.DROP | Kind.RENAME | Kind.REPLACE | Kind.CHANGE_VALUES | Kind.CREATE:
            return _thing(step, known)
        case Kind.UNKNOWN | Kind.CODE | Kind.NOTICE:
            return _unclear(
                step.detail or "nobody has taught the bot to read this statement", LOOK
            )
        case _ if step.kind in _ON_COLUMNS and known.columns_are_new(step):
            if step.kind in {Kind.SET_NOT_NULL, Kind.DROP_DEFAULT}:
                return _filled(step)
            return _fine(f"{_column(step)} is new in this change, so stable does not use it")
        case _:
            return _plain(step)


_NEVER_NEW: Final = frozenset({Kind.UNKNOWN, Kind.CODE, Kind.NOTICE, Kind.RENAME, Kind.CREATE})
_OF_OLD_ONES: Final = frozenset({Kind.DROP_COLUMN, Kind.RENAME_COLUMN, Kind.CHANGE_TYPE})
"""Nobody does these to a table just created: where it may be an old one, it is."""
_ON_COLUMNS: Final = frozenset(
    {Kind.DROP_COLUMN, Kind.RENAME_COLUMN, Kind.SET_NOT_NULL, Kind.DROP_DEFAULT, Kind.DATA}
)


def _fine(why: str) -> Verdict:
    return Verdict(Impact.ADDITIVE, why)


def _unclear(why: str, way_out: str = LOOK) -> Verdict:
    return Verdict(Impact.UNCLEAR, why, way_out)


def _breaks(why: str, way_out: str) -> Verdict:
    return Verdict(Impact.NOT_ADDITIVE, why, way_out)


def _column(step: Step) -> str:
    names = [f"{step.table}.{column}" if step.table else column for column in step.columns]
    if not names:
        return f"a column of {step.table}" if step.table else "a column"
    return ("the column " if len(names) == 1 else "the columns ") + ", ".join(names[:4])


def _filled(step: Step) -> Verdict:
    return _breaks(
        f"stable does not fill {_column(step)}, so its inserts fail once it must be filled",
        ADD_FILLED,
    )


def _add_column(step: Step, known: Known) -> Verdict:
    column = _column(step)
    if step.detail:
        return _unclear(step.detail, ADD_FILLED)
    if not step.nullable and not step.default and step.what == "field":
        but = "; Django's default= is not the database's" if step.former else ""
        return _breaks(
            f"stable does not fill {column}, which is NOT NULL without a default of the database's "
            f"own{but}: its inserts fail",
            ADD_FIELD,
        )
    if not step.nullable and not step.default:
        return _breaks(
            f"stable does not fill {column}, which is NOT NULL and which the database gives no "
            "default: its inserts fail",
            ADD_FILLED,
        )
    if step.unique and step.default and not known.is_new("table", step.table):
        return _breaks(
            f"{column} is unique with one default for all: stable's second insert fails",
            ADD_UNIQUE,
        )
    return _fine(f"stable does not know {column}; the database fills it or leaves it NULL")


def _change_type(step: Step, known: Known) -> Verdict:
    if known.columns_are_new(step):
        return _fine(f"{_column(step)} is new in this change, so stable does not use it")
    column, former = _column(step), known.former_type(step)
    if step.detail:
        return _unclear(step.detail, CHANGE_TYPE)
    if not step.nullable and not step.default and not known.was_required(step):
        return _breaks(
            f"{column} is NOT NULL from here on: unless it was so before, stable's writes of NULL "
            "fail",
            SET_NOT_NULL,
        )
    if widens(former, step.type):
        return _fine(f"{column} goes from {former} to {step.type}, which holds all it did")
    if not former:
        return _breaks(
            f"{column} becomes {step.type or 'another type'}: what it was is not seen here, and "
            "unless the new type holds all of that, stable's reads or writes fail",
            CHANGE_TYPE,
        )
    return _breaks(
        f"{column} changes its type from {former} to {step.type or 'another one'}; stable reads and writes "
        "the old one",
        CHANGE_TYPE,
    )


def _alter_field(step: Step, known: Known) -> Verdict:
    column, former = _column(step), known.former_type(step)
    if known.columns_are_new(step):
        return _fine(f"{column} is new in this change, so stable does not use it")
    if step.detail:
        return _unclear(step.detail, CHANGE_TYPE)
    if not former:
        return _unclear(
            f"{column} is described anew: whether only texts and choices changed, or it became NOT "
            "NULL, unique or narrower, cannot be told from this file alone",
            CHANGE_TYPE,
        )
    if not step.nullable and not known.was_required(step):
        return _breaks(f"where stable writes NULL into {column}, it fails now", SET_NOT_NULL)
    wider = widens(former, step.type)
    if wider or (not step.unique and widens(former.removesuffix(" unique"), step.type)):
        return _fine(f"{column} still holds all it did ({former}, now {step.type})")
    if step.unique and not former.endswith(" unique"):
        return _breaks(f"stable may write the same value twice into {column}", ADD_UNIQUE)
    return _breaks(f"{column} changes its type from {former} to {step.type}", CHANGE_TYPE)


def _constraint(step: Step, known: Known) -> Verdict:
    on = f"{step.table} ({', '.join(step.columns[:4])})" if step.columns else step.table
    on = on or "a table that stable uses"
    if step.kind is Kind.UNIQUE:
        if known.stay_empty(step):
            return _fine(f"{on}: stable leaves a new column NULL, and NULLs never clash")
        return _breaks(
            f"stable may write the same values twice into {on}, which fails now", ADD_UNIQUE
        )
    if step.kind is Kind.CHECK:
        if known.columns_are_new(step):
            return _fine(f"it checks only {_column(step)}, which stable does not write")
        return _breaks(
            f"a rule is added to {on}, and what stable writes against it fails (rows that are "
            "there already or not)",
            ADD_CHECK,
        )
    if known.columns_are_new(step):
        return _fine(f"{_column(step)} is new in this change, and stable does not fill it")
    return _breaks(
        f"{on} must point to rows that exist; where stable writes others, or in another order, it "
        "fails",
        ADD_CHECK,
    )


def _thing(step: Step, known: Known) -> Verdict:
    what, name = step.what, step.name
    called = f"the {what} {name}".rstrip()
    if step.kind is Kind.CREATE:
        if (what, plain(name)) in known.dropped and what not in {"index", "constraint"}:
            return _unclear(f"{called} went above and comes back, maybe in another shape", REPLACE)
        if known.is_new("table", step.table) or what != "trigger":
            return _fine(f"{called} is new; stable does not use it")
        return _unclear(
            f"{called} runs at what stable writes to {step.table or 'a table'}", TRIGGER
        )
    subject = name if step.kind is not Kind.RENAME else step.table
    if known.is_new(what, subject):
        return _renamed_back(step, known)
    if step.kind is Kind.REPLACE:
        return _unclear(f"{called} is replaced where it exists, and stable may use it", REPLACE)
    if step.kind is Kind.CHANGE_VALUES:
        return _breaks(
            f"values of {called} are renamed or dropped; stable may still use them", VALUES
        )
    if what in _NOT_ASKED_FOR:
        return _fine(f"no statement of stable's names {called}; queries may get slower")
    if step.kind is Kind.RENAME:
        return _breaks(
            f"stable still asks for the {what} {step.table} by its old name; it becomes "
            f"{name or 'another one'}",
            RENAME_THING,
        )
    if what in {"trigger", "rule", "event"}:
        return _unclear(f"stable may rely on {called}, which is dropped here", DROP_THING)
    return _breaks(f"stable may still use {called}, which is dropped here", DROP_THING)


_NOT_ASKED_FOR: Final = frozenset({"index", "statistics", "constraint", "comment", "publication"})


def _renamed_back(step: Step, known: Known) -> Verdict:
    taken = step.kind is Kind.RENAME and (step.what, plain(step.name)) in known.dropped
    if taken:
        return _unclear(
            f"the {step.what} {step.name} is built anew under its old name; whether every column "
            "and default is kept cannot be seen here",
            REPLACE,
        )
    return _fine(f"the {step.what} is new in this change, so stable does not use it")


def _plain(step: Step) -> Verdict:
    column = _column(step)
    match step.kind:
        case Kind.DROP_COLUMN:
            return _breaks(f"stable still uses {column}, which is dropped here", DROP_COLUMN)
        case Kind.RENAME_COLUMN:
            to = f"; it becomes {step.name}" if step.name else ""
            return _breaks(f"stable still uses {column} by its old name{to}", RENAME_COLUMN)
        case Kind.SET_NOT_NULL:
            return _breaks(f"where stable writes NULL into {column}, it fails now", SET_NOT_NULL)
        case Kind.DROP_DEFAULT:
            return _breaks(
                f"{column} loses its default, on which stable's inserts may rely", KEEP_DEFAULT
            )
        case Kind.DROP_NOT_NULL:
            return _fine(f"{column} takes NULL too; stable goes on writing what it writes")
        case Kind.SET_DEFAULT:
            return _fine(f"only a default of {column}: what stable names it still writes")
        case _:
            return _on_table(step)


def _on_table(step: Step) -> Verdict:
    table = step.table or "a table"
    match step.kind:
        case Kind.PRIMARY_KEY | Kind.DROP_PRIMARY_KEY:
            return _breaks(
                f"the primary key of {table} changes, by which stable finds rows", PRIMARY_KEY
            )
        case Kind.DROP_CONSTRAINT:
            return _fine(
                f"a rule of {table} goes: all that stable writes is still taken (an upsert that "
                "names it would fail)"
            )
        case Kind.POLICY:
            return _breaks(
                f"row-level security of {table} changes: stable may no longer see its rows", POLICY
            )
        case Kind.REVOKE:
            return _breaks("rights are taken away that stable may need", REVOKE)
        case Kind.EMPTY:
            return _breaks(f"all rows of {table} go, and stable still reads them", BACKFILL)
        case Kind.PARTITION:
            return _breaks(
                f"rows of {table} are taken away or move, and stable still reads them", PARTITION
            )
        case Kind.TRIGGER:
            return _unclear(
                f"a trigger of {table} changes what happens when stable writes", TRIGGER
            )
        case Kind.INSERT:
            return _fine(f"rows are added to {table}; nothing that stable has is changed")
        case _:
            return _unclear(
                f"data of {table} is changed: nobody can tell from here whether stable still "
                "understands it",
                BACKFILL,
            )
