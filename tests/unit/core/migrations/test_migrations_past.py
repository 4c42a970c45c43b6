"""What earlier migrations may tell: never a former type that is not the last one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.assessment import Impact
from bot.core.change import ChangedFile
from bot.core.migrations import judge, needs_earlier

FINE, UNCLEAR, BREAKS = Impact.ADDITIVE, Impact.UNCLEAR, Impact.NOT_ADDITIVE
HOME = "shop/migrations"


def char(length: object, more: str = "") -> str:
    """A field of this length."""
    return f"models.CharField(max_length={length}{more})"


def file(
    name: str, after: list[str], *operations: str, extra: str = "", app: str = "shop"
) -> ChangedFile:
    """A migration of Django's that comes after others of its app."""
    links = [(app, one) for one in after] + [("auth", "0012_x")]
    text = (
        f"from django.db import migrations, models\n{extra}\n"
        f"class Migration(migrations.Migration):\n    dependencies = {links}\n"
        f"    operations = [{', '.join(operations)}]\n"
    )
    return ChangedFile(f"{HOME}/{name}.py", "added", after=text)


def create(field: str = char(9), name: str = "b", model: str = "A") -> str:
    """A model with one field."""
    return f"migrations.CreateModel('{model}', [('{name}', {field})])"


def alter(field: str, name: str = "b", model: str = "a") -> str:
    """A field is described anew."""
    return f"migrations.AlterField('{model}', '{name}', {field})"


def found(new: ChangedFile, *earlier: ChangedFile) -> Impact:
    """What a migration is after these."""
    (one,) = judge([new], earlier)
    return one.worst


FIRST = file("0001", [], create())
TO_50 = file("0002", ["0001"], alter(char(50)))


def test_the_last_type_counts_in_whatever_order_the_files_are_given() -> None:
    new = file("0003", ["0002"], alter(char(20)))
    assert found(new, FIRST, TO_50) is BREAKS
    assert found(new, TO_50, FIRST) is BREAKS
    assert found(file("0003", ["0002"], alter(char(60))), TO_50, FIRST) is FINE


def test_links_count_and_not_names() -> None:
    """A later one by name may have run before."""
    last = file("0001_b", ["0009"], alter(char(50)))
    between = file("0009", ["0001"], alter(char(15)))
    assert found(file("0010", ["0001_b"], alter(char(20))), FIRST, last, between) is BREAKS


def test_a_missing_file_between_or_at_the_end_makes_it_unclear() -> None:
    third = file("0003", ["0002"])
    assert found(file("0004", ["0003"], alter(char(20))), FIRST, third) is UNCLEAR
    assert found(file("0003", ["0002"], alter(char(20))), FIRST) is UNCLEAR


def test_a_file_without_its_text_makes_it_unclear() -> None:
    lost = ChangedFile(f"{HOME}/0002.py", "added")
    assert found(file("0003", ["0002"], alter(char(20))), FIRST, lost) is UNCLEAR


def test_branches_that_touch_the_same_column_tell_nothing_of_it() -> None:
    """Which ran last is not written anywhere, not even where they are merged."""
    side = file("0002_side", ["0001"], alter(char(15)))
    merge = file("0003_merge", ["0002", "0002_side"])
    history = (FIRST, TO_50, side, merge)
    assert found(file("0004", ["0003_merge"], alter(char(20))), *history) is UNCLEAR


def test_branches_that_touch_different_columns_tell_of_both() -> None:
    side = file("0002_side", ["0001"], f"migrations.AddField('a', 'c', {char(5)})")
    merge = file("0003_merge", ["0002", "0002_side"])
    history = (FIRST, TO_50, side, merge)
    assert found(file("0004", ["0003_merge"], alter(char(60))), *history) is FINE
    assert found(file("0004", ["0003_merge"], alter(char(6), "c")), *history) is FINE
    assert found(file("0004", ["0003_merge"], alter(char(40))), *history) is BREAKS


def test_a_squashed_migration_beside_what_it_replaces_tells_nothing_of_both() -> None:
    squashed = file("0001_squashed_0002", [], create(char(50)))
    text = (squashed.after or "").replace(
        "    operations", "    replaces = [('shop', '0001'), ('shop', '0002')]\n    operations"
    )
    squashed = ChangedFile(squashed.path, "added", after=text)
    new = file("0003", ["0002"], alter(char(20)))
    assert found(new, FIRST, TO_50, squashed) is UNCLEAR
    assert found(new, squashed) is BREAKS
    assert found(file("0003", ["0001_squashed_0002"], alter(char(60))), squashed) is FINE


@pytest.mark.parametrize(
    "operations",
    [
        ["migrations.RenameModel('A', 'B')", create(char(50))],
        ["migrations.DeleteModel('A')", create(char(50))],
        ["migrations.RemoveField('a', 'b')", f"migrations.AddField('a', 'b', {char(50)})"],
        ["migrations.RemoveField('a', 'b')", "migrations.AddField('a', 'b', own.Field())"],
        [
            f"migrations.AddField('a', 'c', {char(50)})",
            "migrations.RemoveField('a', 'b')",
            "migrations.RenameField('a', 'c', 'b')",
        ],
        ["migrations.RenameField('a', 'b', 'x')", "migrations.RenameField('a', 'unknown', 'b')"],
        [
            "migrations.RemoveField('a', 'b')",
            create(char(50), model="C"),
            "migrations.DeleteModel('A')",
            "migrations.RenameModel('C', 'A')",
        ],
        ["migrations.AlterModelTable('a', 'other')", alter(char(50))],
        [alter("field")],
        [alter("models.CharField(max_length=LONG)")],
        ["*more()"],
        [f"*[migrations.AlterField('a', one, {char(50)}) for one in ('b',)]"],
        ["own.AlterField('x')"],
        ["migrations.RunSQL('ALTER TABLE shop_a ALTER b TYPE varchar(50)')"],
        ["migrations.RunSQL(read())"],
        ["migrations.RunPython(elsewhere)"],
        [
            f"migrations.SeparateDatabaseAndState(state_operations=[{alter(char(50))}])",
        ],
    ],
)
def test_what_was_renamed_replaced_or_changed_unseen_is_never_additive(
    operations: list[str],
) -> None:
    """The field is 50 long, or may be, and becomes 20."""
    second = file("0002", ["0001"], *operations)
    assert found(file("0003", ["0002"], alter(char(20))), FIRST, second) is not FINE


@pytest.mark.parametrize(
    ("extra", "sure"),
    [
        (
            "def fill(apps, schema_editor):\n    apps.get_model('shop', 'A').objects.update(b='')",
            True,
        ),
        (
            "def fill(apps, schema_editor):\n    db = schema_editor.connection.alias\n    use(db)",
            True,
        ),
        ("def fill(apps, schema_editor):\n    schema_editor.execute('ALTER')", False),
        ("def fill(apps, editor):\n    helper(editor)", False),
        ("from django.db import connection\ndef fill(apps, editor):\n    connection.x()", False),
        ("from elsewhere import fill", False),
        ("if True:\n    pass\ndef fill(apps, schema_editor):\n    pass", False),
        ("class Own:\n    pass\ndef fill(apps, schema_editor):\n    pass", False),
    ],
)
def test_python_that_works_through_models_changes_no_types(extra: str, *, sure: bool) -> None:
    second = file("0002", ["0001"], "migrations.RunPython(fill)", extra=extra)
    new = file("0003", ["0002"], alter(char(20)))
    assert found(new, FIRST, second) is (FINE if sure else UNCLEAR)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("models.NullBooleanField()", "models.BooleanField()"),
        ("models.IntegerField(null=LATER)", "models.IntegerField()"),
        ("models.IntegerField(null=True)", "models.IntegerField()"),
        ("models.IntegerField(db_default=1)", "models.IntegerField()"),
        ("models.CharField(max_length=LONG)", "models.CharField(max_length=20)"),
        ("models.CharField(max_length=50)", "models.CharField(max_length=SHORT)"),
        ("own.CipherField(max_length=50)", "own.CipherField(max_length=20)"),
        ("models.ForeignKey('x.Y', models.CASCADE)", "models.ForeignKey('x.Z', models.CASCADE)"),
        ("models.CharField(max_length=9)", "models.CharField(max_length=9, primary_key=True)"),
        ("models.CharField(max_length=9)", "models.CharField(max_length=9, db_column='x')"),
        ("models.CharField(max_length=9)", "models.CharField(max_length=9, null=LATER)"),
    ],
)
def test_a_field_that_takes_less_or_may_is_never_additive(was: str, becomes: str) -> None:
    new = file("0002", ["0001"], alter(becomes))
    assert found(new, file("0001", [], create(was))) is not FINE
    added = file("0001", [], create(char(1), "x"), f"migrations.AddField('a', 'b', {was})")
    assert found(new, added) is not FINE


def test_other_apps_with_models_of_the_same_name_are_others() -> None:
    other = ChangedFile("other/migrations/0001.py", "added", after=FIRST.after)
    assert found(file("0002", ["0001"], alter(char(60))), other) is UNCLEAR
    both = judge(
        [file("0002", ["0001"], alter(char(20)))],
        [file("0001", [], create(char(50))), other],
    )
    assert both[0].worst is BREAKS


def test_an_apps_label_may_differ_from_its_folder() -> None:
    second = file("0002", ["0001"], alter(char(50)), app="store")
    new = file("0003", ["0002"], alter(char(60)), app="store")
    assert found(new, FIRST, second) is FINE
    lost = file("0004", ["0003"], alter(char(60)), app="store")
    assert found(lost, FIRST, second) is UNCLEAR


def revision(
    name: str, down: str, body: str, path: str = "alembic/versions/{}_x.py"
) -> ChangedFile:
    """A migration of Alembic's."""
    text = (
        "from alembic import op\nimport sqlalchemy as sa\n"
        f"revision = '{name}'\ndown_revision = {down}\ndef upgrade():\n    {body}\n"
    )
    return ChangedFile(path.format(name), "added", after=text)


TABLE = revision("d", "None", "op.create_table('t', sa.Column('c', sa.String(9)))")
LONGER = revision("a", "'d'", "op.alter_column('t', 'c', type_=sa.String(50))")


def longer(size: object, down: str = "'a'") -> ChangedFile:
    """A column of Alembic's becomes this long."""
    return revision("b", down, f"op.alter_column('t', 'c', type_=sa.String({size}))")


def test_alembics_links_count_and_not_its_names() -> None:
    assert found(longer(20), LONGER, TABLE) is BREAKS
    assert found(longer(60), LONGER, TABLE) is FINE
    assert found(longer("SIZE"), LONGER, TABLE) is not FINE
    assert found(longer(20, "('a', 'd')"), TABLE, LONGER) is BREAKS


def test_a_chain_of_alembics_that_leads_elsewhere_tells_nothing() -> None:
    """Into another folder, or to what cannot be read."""
    elsewhere = revision("a", "'d'", "pass", "alembic/versions/2024/{}.py")
    assert found(longer(20), TABLE, elsewhere) is BREAKS
    assert found(longer(20), TABLE) is BREAKS
    assert found(longer(20, "previous()"), TABLE) is BREAKS
    assert found(longer(20, "('a', 'z')"), TABLE, LONGER) is BREAKS


@pytest.mark.parametrize(
    "body",
    [
        "if new:\n        op.alter_column('t', 'c', type_=sa.String(15))",
        "if done:\n        return\n    op.alter_column('t', 'c', type_=sa.String(15))",
        "for one in names:\n        op.alter_column('t', one, type_=sa.String(15))",
        "helper(op)",
        "op.execute(read())",
        "op.rename_table('t', 'u')\n    op.rename_table('v', 't')",
    ],
)
def test_what_alembic_does_under_a_condition_or_unseen_tells_nothing(body: str) -> None:
    assert found(longer(20, "'e'"), TABLE, LONGER, revision("e", "'a'", body)) is BREAKS


def test_only_what_alters_a_column_needs_earlier_ones() -> None:
    assert needs_earlier("shop/migrations/0002_x.py", "migrations.AlterField(")
    assert needs_earlier("alembic/versions/x.py", "op.alter_column(")
    assert not needs_earlier("shop/migrations/0002_x.py", "migrations.AddField(")
    assert not needs_earlier("shop/fields.py", "AlterField")
    assert not needs_earlier("db/migrations/2.sql", "ALTER TABLE a ALTER b TYPE text")


Fields = dict[tuple[str, str], tuple[int, bool]]
"""The length of each field by model and name, and whether it takes NULL."""


def applied(fields: Fields, step: tuple[str, ...]) -> Fields | None:
    """The database after an operation; None where it cannot be done."""
    what, model, name, other, size, null = (*step, "")[:6]
    now, key, to = dict(fields), (model, name), (model, other)
    made = (int(size), bool(null))
    models = {one for one, _ in fields}
    match what:
        case "create" if model not in models:
            now[key] = made
        case "delete" if model in models:
            now = {one: kept for one, kept in now.items() if one[0] != model}
        case "model" if model in models and other not in models:
            now = {(other if one == model else one, at): kept for (one, at), kept in now.items()}
        case "add" if model in models and key not in now:
            now[key] = made
        case "alter" if key in now:
            now[key] = made
        case "remove" if key in now and len([one for one in now if one[0] == model]) > 1:
            del now[key]
        case "rename" if key in now and to not in now:
            now[to] = now.pop(key)
        case _:
            return None
    return now


def written(step: tuple[str, ...]) -> str:
    """An operation as Django writes it."""
    what, model, name, other, size, null = step
    field = char(size, ", null=True" if null else "")
    return {
        "create": f"migrations.CreateModel('{model}', [('{name}', {field})])",
        "delete": f"migrations.DeleteModel('{model}')",
        "model": f"migrations.RenameModel('{model}', '{other}')",
        "add": f"migrations.AddField('{model}', '{name}', {field})",
        "alter": f"migrations.AlterField('{model}', '{name}', {field})",
        "remove": f"migrations.RemoveField('{model}', '{name}')",
        "rename": f"migrations.RenameField('{model}', '{name}', '{other}')",
    }[what]


names = st.sampled_from("ab")
operations = st.tuples(
    st.sampled_from(["create", "delete", "model", "add", "alter", "alter", "remove", "rename"]),
    names, names, names, st.sampled_from("123"), st.sampled_from(["", "null"]),
)  # fmt: skip
often = st.sampled_from("aaab")
aside = st.tuples(
    st.sampled_from(["alter", "alter", "remove", "add"]),
    often, often, names, st.sampled_from("123"), st.sampled_from(["", "null"]),
)  # fmt: skip
last = st.tuples(often, often, st.sampled_from("123"), st.sampled_from(["", "null"]))


@given(
    steps=st.lists(operations, max_size=12),
    side=st.lists(aside, max_size=3),
    at=st.integers(0, 12),
    lost=st.none() | st.none() | st.integers(0, 20),
    asked=last,
    mixed=st.randoms(use_true_random=False),
)
def test_additive_after_any_history_holds_all_that_the_database_does(
    *,
    steps: list[tuple[str, ...]],
    side: list[tuple[str, ...]],
    at: int,
    lost: int | None,
    asked: tuple[str, ...],
    mixed: object,
) -> None:
    """Linear, with a branch that ran at its end or at its beginning, or with a file missing."""
    main: list[tuple[str, ...]] = []
    fields: Fields = {}
    for step in [("create", "a", "a", "", "1", ""), *steps]:
        then = applied(fields, step)
        if then is not None:
            fields = then
            main.append(step)
    at = min(at, len(main))
    branch = [step for step in side if main]
    ran = [(*main, *branch), (*main[:at], *branch, *main[at:])]
    files = [
        file(f"{n:04}", [f"{n - 1:04}"] if n else [], written(step)) for n, step in enumerate(main)
    ]
    for n, step in enumerate(branch):
        start = [f"{at - 1:04}"] if at else []
        files.append(
            file(f"{at:04}_side{n}", [f"{at:04}_side{n - 1}"] if n else start, written(step))
        )
    ends = [f"{len(main) - 1:04}"] * bool(main) + [f"{at:04}_side{len(branch) - 1}"] * bool(branch)
    if lost is not None and files:
        files.pop(lost % len(files))
    mixed.shuffle(files)  # type: ignore[attr-defined]  # hypothesis' own random.Random
    model, name, size, null = asked
    new = file("9999", ends, alter(char(size, ", null=True" if null else ""), name, model))
    if found(new, *files) is not FINE:
        return
    for order in ran:
        fields = {}
        for step in order:
            then = applied(fields, step)
            if then is None:
                break
            fields = then
        else:
            if (model, name) not in fields:
                continue
            length, takes_null = fields[model, name]
            assert int(size) >= length
            assert bool(null) >= takes_null
