"""What holds of every text: it is read without an error, and harm is never lost in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.assessment import Impact
from bot.core.migrations import read_migration
from bot.core.migrations.steps import LONGEST_SENTENCE, LONGEST_TEXT

PATHS = [
    "migrations/1.sql",
    "mysql/migrations/1.sql",
    "alembic/versions/a.py",
    "a/migrations/0001_x.py",
    "db/migrate/1_x.rb",
    "liquibase/1.xml",
]
PIECES = st.sampled_from(
    [
        "ALTER TABLE a ",
        "ADD COLUMN b int",
        "DROP COLUMN b",
        ";",
        "\n",
        "(",
        ")",
        "'",
        '"',
        "`",
        "$$",
        "--",
        "/*",
        "*/",
        "BEGIN",
        "END",
        "DO ",
        "IF ",
        "THEN ",
        "CREATE TABLE a",
        "DELIMITER //\n",
        "GO\n",
        "$a$",
        "def upgrade():\n    ",
        "op.",
        "op.execute(",
        "class Migration:\n    operations = [",
        "]",
        ",",
        "<<~SQL\n",
        "do |t|\n",
        "end\n",
        "change_table :a ",
        "t.string ",
        "\\",
        "#",
        "{{",
        "}}",
        "UPDATE a SET ",
        "=",
        "é",
    ]
)
WHOLE = st.sampled_from(
    [
        "CREATE TABLE t (id int);",
        "CREATE INDEX i ON t (id);",
        "INSERT INTO t VALUES ('a;b');",
        "DO $$ BEGIN NULL; END $$;",
        "-- a comment\n",
        "/* a; */",
        "COMMENT ON TABLE t IS 'it''s';",
        "CREATE FUNCTION f() RETURNS int AS $f$ SELECT ';' $f$ LANGUAGE sql;",
        "GRANT SELECT ON t TO u;",
        "SET a = 'b';",
        "BEGIN;",
        "COMMIT;",
        "ALTER TYPE e ADD VALUE 'x';",
    ]
)


@pytest.mark.parametrize("path", PATHS)
@given(text=st.text() | st.lists(PIECES, max_size=30).map("".join))
def test_no_text_makes_it_raise(path: str, text: str) -> None:
    for one in read_migration(path, text).statements:
        assert 1 <= one.line <= text.count("\n") + 1
        assert len(one.text) <= LONGEST_TEXT
        assert 0 < len(one.why) <= LONGEST_SENTENCE
        assert "\n" not in one.text + one.why + one.way_out
        assert bool(one.way_out) == (one.impact is not Impact.ADDITIVE)


@given(before=st.lists(WHOLE), after=st.lists(WHOLE))
def test_a_dropped_column_is_never_lost(before: list[str], after: list[str]) -> None:
    text = "\n".join([*before, "ALTER TABLE users DROP COLUMN email;", *after])
    assert read_migration("migrations/1.sql", text).worst is Impact.NOT_ADDITIVE


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "piece",
    ["(", "[", "/*", "'", "$a$", "BEGIN ", "DO $$ ", "a.", "-", "{{", "not ", "f(", "if x:\n"],
)
def test_hostile_nesting_is_read_to_an_end(path: str, piece: str) -> None:
    read_migration(path, "ALTER TABLE a " + piece * 20_000)
    read_migration(path, "def upgrade():\n    op.execute(" + piece * 5_000)
