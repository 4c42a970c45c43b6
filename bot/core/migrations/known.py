"""What a change itself has created: stable does not know it, so anything may be done to it."""

from dataclasses import dataclass, field
from typing import Final

from bot.core.migrations.steps import Kind, Step

ALL: Final = "*"
"""In place of a table or a column: any."""


def plain(name: str) -> str:
    """Strip quotes, case and the default schema from a name."""
    lowered = name.replace('"', "").replace("`", "").replace("[", "").replace("]", "").lower()
    for schema in ("public.", "dbo."):
        lowered = lowered.removeprefix(schema)
    return lowered


def _is_literal(name: str) -> bool:
    """Whether a name is one name, and no variable's that may stand for another one next time."""
    return bool(name) and "{" not in name.rpartition(".")[2]


@dataclass(slots=True)
class Known:
    """What was learnt from the steps so far, of one database.

    Attributes:
        created: things by kind and name, that stable does not know.
        unsure: tables among them that were only created where they were missing.
        dropped: things that were dropped or renamed here, and may come back in another shape.
        added: columns by table and name, and whether they are NULL wherever nobody fills them.
        types: types of columns by table and name, as far as they were seen.
        required: columns that were seen to be NOT NULL, by table.

    """

    created: set[tuple[str, str]] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    added: dict[tuple[str, str], bool] = field(default_factory=dict)
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    required: dict[str, set[str]] = field(default_factory=dict)

    def is_new(self, what: str, name: str) -> bool:
        """Whether this change has created it."""
        return _is_literal(name) and (what, plain(name)) in self.created

    def column_is_new(self, table: str, column: str) -> bool:
        """Whether this change has added the column."""
        literal = _is_literal(table) and _is_literal(column)
        return literal and (plain(table), plain(column)) in self.added

    def columns_are_new(self, step: Step) -> bool:
        """Whether this change has added all the columns of a step."""
        return bool(step.columns) and all(
            self.column_is_new(step.table, column) for column in step.columns
        )

    def stay_empty(self, step: Step) -> bool:
        """Whether one of a step's columns is new and NULL in every row that stable writes."""
        return any(
            self.column_is_new(step.table, one) and self.added[plain(step.table), plain(one)]
            for one in step.columns
        )

    def former_type(self, step: Step) -> str:
        """Tell a column's type before a step, where it was seen."""
        if step.kind is Kind.CHANGE_TYPE and step.former:
            return step.former
        return self._type_of(self._column(step))

    def was_required(self, step: Step) -> bool:
        """Whether a column was seen to be NOT NULL before a step."""
        return self._is_required(self._column(step))

    def _type_of(self, column: tuple[str, str]) -> str:
        return self.types.get(column[0], {}).get(column[1], "")

    def _is_required(self, column: tuple[str, str]) -> bool:
        return column[1] in self.required.get(column[0], ())

    def _require(self, column: tuple[str, str], *, now: bool) -> None:
        if now:
            self.required.setdefault(column[0], set()).add(column[1])
        else:
            self.required.get(column[0], set()).discard(column[1])

    @staticmethod
    def _column(step: Step) -> tuple[str, str]:
        return plain(step.table), plain(step.columns[0]) if step.columns else ""

    def forget(self, table: str, column: str = ALL) -> None:
        """Forget types and NOT NULLs of a column, of a table's columns, or of all: `*`."""
        for one in self.types.keys() | self.required.keys() if table == ALL else (table,):
            if column == ALL:
                self.types.pop(one, None)
                self.required.pop(one, None)
            else:
                self.types.get(one, {}).pop(column, None)
                self.required.get(one, set()).discard(column)

    def note(self, step: Step) -> None:
        """Learn from a step that has been judged."""
        if step.kind in {Kind.DROP, Kind.RENAME} and "table" in step.what:
            # Whatever has the name from now on, it is not what was seen.
            self.forget(plain(step.name))
            self.forget(plain(step.table))
        match step.kind:
            case Kind.CREATE:
                self._create(step)
            case Kind.DROP:
                self.created.discard((step.what, plain(step.name)))
                self.dropped.add((step.what, plain(step.name)))
            case Kind.RENAME if self.is_new(step.what, step.table):
                self.created.discard((step.what, plain(step.table)))
                if (step.what, plain(step.name)) not in self.dropped:
                    self.created.add((step.what, plain(step.name)))
            case Kind.RENAME:
                self.dropped.add((step.what, plain(step.table)))
            case Kind.RENAME_COLUMN:
                self._rename_column(step)
            case Kind.ADD_COLUMN:
                for column in step.columns:
                    empty = step.nullable and not step.default
                    self.added[plain(step.table), plain(column)] = empty
                    self.forget(plain(step.table), plain(column))
                self._learn(step)
            case Kind.DROP_COLUMN:
                for column in step.columns:
                    self.added.pop((plain(step.table), plain(column)), None)
                    self.forget(plain(step.table), plain(column))
            case Kind.CHANGE_TYPE | Kind.ALTER_FIELD | Kind.SET_NOT_NULL | Kind.DROP_NOT_NULL:
                self._learn(step)
            case _:
                pass

    def _rename_column(self, step: Step) -> None:
        old, new = self._column(step), (plain(step.table), plain(step.name))
        if self.columns_are_new(step) and step.name:
            self.added[new] = self.added.pop(old)
        was, required = self._type_of(old), self._is_required(old)
        for key in (old, new):
            self.forget(*key)
        if was and _is_literal(step.name):
            self.types.setdefault(new[0], {})[new[1]] = was
            self._require(new, now=required)

    def _create(self, step: Step) -> None:
        if step.what == "table" and not step.if_missing:
            self.forget(plain(step.name))
        for one in step.fields:
            where = plain(step.name), plain(one.name)
            if self.types.get(where[0], {}).get(where[1], one.type) != one.type:
                self.forget(*where)  # it was there already, or went unseen
                continue
            self.types.setdefault(where[0], {})[where[1]] = one.type
            self._require(where, now=not one.nullable)
        key = (step.what, plain(step.name))
        if key in self.dropped and step.what != "index":
            return
        self.created.add(key)
        (self.unsure.add if step.if_missing else self.unsure.discard)(key[1])

    def may_be_old(self, table: str) -> bool:
        """Whether a new table is one that was only created where it was missing."""
        return plain(table) in self.unsure

    def _learn(self, step: Step) -> None:
        key = self._column(step)
        if step.type:
            self.types.setdefault(key[0], {})[key[1]] = step.type
        elif step.kind in {Kind.ADD_COLUMN, Kind.CHANGE_TYPE, Kind.ALTER_FIELD}:
            self.forget(*key)
        if step.detail:  # it could not be read in full, whether it takes NULL among it
            self.forget(*key)
        elif step.kind is Kind.SET_NOT_NULL or not step.nullable:
            self._require(key, now=True)
        elif step.kind is not Kind.CHANGE_TYPE:
            self._require(key, now=False)

    def forget_news(self) -> None:
        """Keep what is known of columns, but take everything for known to stable."""
        self.created.clear()
        self.unsure.clear()
        self.dropped.clear()
        self.added.clear()
