"""What is too much to be read is unclear, however harmless it begins."""

import pytest

from bot.core.assessment import Impact
from bot.core.change import ChangedFile
from bot.core.migrations import judge, read_migration
from bot.core.migrations.known import ALL, Known
from bot.core.migrations.sql_file import MOST_CLAUSES
from bot.core.migrations.steps import Kind, Step
from bot.core.migrations.whole import LONGEST_FILE, MOST_STEPS, MOST_TEXT

SQL, RUBY = "migrations/1.sql", "db/migrate/1_a.rb"
DJANGO, ALEMBIC = "a/migrations/0001_a.py", "alembic/versions/a.py"


def change(body: str) -> str:
    """A migration of Rails'."""
    return f"class A < ActiveRecord::Migration[7.0]\n  def change\n{body}\n  end\nend\n"


@pytest.mark.parametrize("count", [MOST_CLAUSES, MOST_CLAUSES + 1])
def test_a_statement_of_too_many_clauses_is_unclear(count: int) -> None:
    """Up to the limit each is read."""
    clauses = ", ".join(f"ADD COLUMN c{at} int" for at in range(count))
    found = read_migration(SQL, f"ALTER TABLE t {clauses};")
    assert found.worst is (Impact.UNCLEAR if count > MOST_CLAUSES else Impact.ADDITIVE)
    assert len(found.statements) == count


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        (SQL, "CREATE TABLE a (b int);" * 2001, "first 2000 statements"),
        (RUBY, change("add_column :a, :b, :string\n" * (MOST_STEPS + 1)), "first 3,000 steps"),
        (RUBY, change("safety_assured { " * 9 + "x" + " }" * 9), "too deep"),
        (RUBY, change("add_column :a, :b, " + "c" * 1000), "too long"),
        (RUBY, change("add_column :a,\n" + ("  'some text'," * 50 + "\n") * 20), "too long"),
        (
            ALEMBIC,
            "def a():\n    op.f()\ndef upgrade():\n" + "    a()\n" * 400,
            "too many calls",
        ),
        (ALEMBIC, "def upgrade():\n" + "    pass\n" * 10_001, "first 10,000 statements"),
        (
            DJANGO,
            "z = []\ny = [" + "*z," * 99 + "]\nx = [" + "*y," * 99 + "]\n"
            "class Migration(migrations.Migration):\n    operations = [*x]\n",
            "too many",
        ),
        (SQL, "x" * (LONGEST_FILE + 1), "too long"),
        (ALEMBIC, "def upgrade():\r    op.drop_table('a')\r", "lines end"),
    ],
)
def test_what_is_too_much_to_read_is_unclear(path: str, text: str, says: str) -> None:
    """And the reason is told."""
    found = read_migration(path, text)
    assert found.worst is Impact.UNCLEAR
    assert any(says in one.why for one in found.statements), found.statements[-1]


@pytest.mark.parametrize("blanks", [" ", " " * 400, "\t" * 900])
def test_blanks_change_nothing(blanks: str) -> None:
    """However many there are, the same is read."""
    text = change(f"safety_assured {{{blanks}drop_table{blanks}:a{blanks}}}")
    assert read_migration(RUBY, text).worst is Impact.NOT_ADDITIVE
    assert read_migration(RUBY, change(f"A{blanks}= 1")).worst is Impact.ADDITIVE


def test_files_behind_too_much_text_are_unclear() -> None:
    """Those before it are read."""
    text = "-- " + "x" * (LONGEST_FILE - 100) + "\nSELECT 1;"
    most = MOST_TEXT // len(text)
    files = [ChangedFile(f"migrations/{at}.sql", "added", after=text) for at in range(most + 1)]
    found = judge(files)
    assert [one.worst for one in found] == [Impact.ADDITIVE] * most + [Impact.UNCLEAR]


def test_a_column_is_forgotten_alone_or_with_its_table_or_with_all() -> None:
    """Nothing else is."""
    known = Known()
    for table, column in (("a", "x"), ("a", "y"), ("b", "x"), ("c", "x")):
        known.note(Step(Kind.ADD_COLUMN, 1, "", table=table, columns=(column,), type="int"))
    known.forget("a", "x")
    known.forget("b")
    assert {table: dict(kept) for table, kept in known.types.items() if kept} == {
        "a": {"y": "int"},
        "c": {"x": "int"},
    }
    known.forget(ALL)
    assert not any(known.types.values())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ALTER USER a password" + "=" * 30 + "'short'", False),
        ("ALTER USER a PASSWORD, b 'short'", False),
        ("ALTER USER a COMMENT 'short'", True),
        ("ALTER USER a PASSWORD 'short" + "x" * 4000 + "'", False),
        ("ALTER USER a COMMENT 'short" + "x" * 4000 + "'", False),
    ],
)
def test_secrets_and_long_texts_are_not_shown(text: str, shown: bool) -> None:
    """Even where the text is cut off within them."""
    (one,) = read_migration(SQL, text).statements
    assert ("short" in one.text) is shown
