"""What a field of Django's is in the database: its type, whether it is NULL, what fills it."""

import ast
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from bot.core.migrations.steps import Field, Kind, Step
from bot.core.migrations.syntax import argument, given, is_true, last_name, shown, text_of

LINKS: Final = frozenset(
    {"ManyToManyField", "GenericRelation", "TaggableManager", "ClusterTaggableManager"}
)
"""Fields that have no column in the table of their model."""
_FILLED: Final = frozenset(
    {
        "AutoField",
        "BigAutoField",
        "SmallAutoField",
        "GeneratedField",
    }
)
_TYPES: Final = {
    "TextField": "text",
    "IntegerField": "int",
    "BigIntegerField": "bigint",
    "AutoField": "int",
    "SmallIntegerField": "smallint",
    "BooleanField": "boolean",
    "BigAutoField": "bigint",
    "NullBooleanField": "boolean",
    "PositiveIntegerField": "natural",
    "FloatField": "double",
}
_OF_LENGTHS: Final = frozenset(
    {
        *("max_length", "path", "match", "recursive", "allow_files", "allow_folders"),
        *("width_field", "height_field"),
    }
)
"""What a text's or number's field takes beside that is not the column's, or is in its type."""
_LINKING: Final = frozenset({"ForeignKey", "OneToOneField"})
_LENGTHS: Final = {
    "CharField": "",
    "EmailField": "254",
    "SlugField": "50",
    "URLField": "200",
    "FileField": "100",
    "ImageField": "100",
    "FilePathField": "100",
}
_ONLY_DJANGOS: Final = frozenset(
    {
        "default",
        "help_text",
        "verbose_name",
        "choices",
        "blank",
        "editable",
        "validators",
        "on_delete",
        "related_name",
        "related_query_name",
        "auto_now",
        "auto_now_add",
        "error_messages",
        "unique",
        "limit_choices_to",
        "db_index",
        "null",
        "db_default",
        "upload_to",
        "storage",
        "db_comment",
        "symmetrical",
        "primary_key",
        "serialize",
        "allow_unicode",
        "swappable",
        "features",
        "use_json_field",
        "block_lookup",
        "parent_link",
        "unique_for_date",
        "auto_created",
        "encoder",
    }
)


def type_of(call: ast.Call) -> str:
    """A field's type as SQL would write it, or as Django does where it is one of its own."""
    name = last_name(call.func)
    alone = given(call, "unique") or given(call, "primary_key") or name == "OneToOneField"
    unique = " unique" if alone else ""
    if name in _LENGTHS:
        size = shown(argument(call, "max_length") or ast.Constant("")).strip("'") or _LENGTHS[name]
        return (f"varchar({size})" if size else "varchar") + _more(call, _OF_LENGTHS) + unique
    if name == "DecimalField":
        digits = [argument(call, one) for one in ("max_digits", "decimal_places")]
        return (
            "numeric({})".format(",".join(shown(one) for one in digits if one is not None))
            + _more(call, {"max_digits", "decimal_places"})
            + unique
        )
    if name in _TYPES:
        return _TYPES[name] + _more(call, _OF_LENGTHS) + unique
    to = f" {shown(call.args[0]).lower()}" if name in _LINKING and call.args else ""
    return name + to + _more(call, ()) + unique


def _more(call: ast.Call, but: Collection[str]) -> str:
    """What else is said of a column: `db_column`, `db_collation`, what a field of its own takes."""
    rest = [
        f" {shown(word.value).lower()}"
        for word in call.keywords
        if word.arg not in _ONLY_DJANGOS and word.arg not in but
    ]
    return "".join(rest)


def field_step(step: Step, field: ast.expr | None) -> Step:
    """Complete a step that adds or alters this field."""
    if not isinstance(field, ast.Call):
        return replace(step, detail="the field is described somewhere else")
    name = last_name(field.func)
    if name in LINKS:
        return replace(
            step, kind=Kind.NOTHING, detail=f"{name} has no column in the table of its model"
        )
    nullable = argument(field, "null")
    loose = _takes_null(field)
    unique = given(field, "unique") or name == "OneToOneField"
    return replace(
        step,
        type=type_of(field),
        nullable=loose,
        what="field",
        default=name in _FILLED or given(field, "db_default"),
        unique=unique,
        former="default" if given(field, "default") or given(field, "auto_now_add") else "",
        detail=""
        if nullable is None or isinstance(nullable, ast.Constant)
        else "whether the column takes NULL is only known while it runs",
    )


def _takes_null(call: ast.Call) -> bool:
    return is_true(argument(call, "null")) or last_name(call.func) == "NullBooleanField"


def fields_of(node: ast.expr | None) -> tuple[Field, ...]:
    """The fields that CreateModel lists."""
    found: list[Field] = []
    for one in getattr(node, "elts", []):
        if isinstance(one, ast.Tuple) and len(one.elts) == 2 and isinstance(one.elts[1], ast.Call):
            call = one.elts[1]
            written = argument(call, "null")
            unsure = written is not None and not isinstance(written, ast.Constant)
            found.append(Field(text_of(one.elts[0]), type_of(call), unsure or _takes_null(call)))
    return tuple(found)
