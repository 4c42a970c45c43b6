"""Which files are migrations, and what shows only where a whole change is looked at."""

import pytest

from bot.core.assessment import Impact
from bot.core.change import ChangedFile
from bot.core.migrations import is_migration, judge

MIGRATIONS = [
    "prisma/migrations/20240101_x/migration.sql",
    "src/main/resources/db/migration/V1__x.sql",
    "src/main/resources/db/migration/R__view.sql",
    "src/main/resources/db/migration/U1__x.sql",
    "src/main/java/db/migration/V1_2__x.java",
    "migrations/0001_x.sql",
    "server/channels/db/migrations/postgres/000001_x.up.sql",
    "store/1.up.sql",
    "db/changes/12.sql",
    "supabase/migrations/2024_x.sql",
    "db/migrate/20240101000000_x.rb",
    "alembic/versions/abc_x.py",
    "migrations/versions/abc_x.py",
    "backend/versions/abc.py",
    "shop/migrations/0001_initial.py",
    "liquibase/001.xml",
    "src/main/resources/db/changelog/db.changelog-master.yaml",
    "database/migrations/2024_01_01_000000_create_a.php",
    "src/migrations/1700000000000-AddUser.ts",
    "priv/repo/migrations/20240101000000_x.exs",
]
OTHERS = [
    "db/schema.rb",
    "db/structure.sql",
    "src/app.py",
    "shop/migrations/__init__.py",
    "queries/a.sql",
    "alembic/env.py",
    "prisma/migrations/migration_lock.toml",
    "docs/migrations.md",
    "versions.py",
    ".github/workflows/changelog-check.yml",
    "CHANGELOG.md",
    "src/changes/index.ts",
    "migrations/README.md",
    "drizzle/migrations/meta/0001_snapshot.json",
    "tests/migrations/test_users.py",
    "src/migrations/runner.test.ts",
    "data-migration-service/src/index.ts",
]


@pytest.mark.parametrize("path", MIGRATIONS)
def test_a_migration_is_known_by_its_path(path: str) -> None:
    assert is_migration(path)


@pytest.mark.parametrize("path", OTHERS)
def test_other_files_are_no_migrations(path: str) -> None:
    assert not is_migration(path)


def test_own_patterns_name_more_migrations() -> None:
    assert is_migration("sql/steps/one.sql", ["sql/steps/*.sql"])
    assert not is_migration("sql/steps/one.txt", ["sql/steps/*.sql"])


def _added(path: str, text: str) -> ChangedFile:
    return ChangedFile(path, "added", after=text)


def test_a_table_of_the_same_change_may_be_altered() -> None:
    found = judge(
        [
            _added("migrations/10_b.sql", "ALTER TABLE a ADD b int NOT NULL"),
            _added("migrations/9_a.sql", "CREATE TABLE a (id int)"),
        ]
    )
    assert [one.path for one in found] == ["migrations/9_a.sql", "migrations/10_b.sql"]
    assert all(one.worst is Impact.ADDITIVE for one in found)


def test_a_table_of_another_folder_is_another_table() -> None:
    found = judge(
        [
            _added("a/migrations/1.sql", "CREATE TABLE a (id int)"),
            _added("b/migrations/2.sql", "ALTER TABLE a DROP COLUMN b"),
        ]
    )
    assert found[1].worst is Impact.NOT_ADDITIVE


def test_alembic_runs_in_the_order_of_its_links() -> None:
    head = "from alembic import op\nrevision = '{}'\ndown_revision = {}\ndef upgrade():\n    {}\n"
    found = judge(
        [
            _added("alembic/versions/a.py", head.format("a", "'b'", "op.drop_column('t', 'c')")),
            _added("alembic/versions/b.py", head.format("b", "None", "op.create_table('t')")),
        ]
    )
    assert [one.path.rpartition("/")[2] for one in found] == ["b.py", "a.py"]
    assert all(one.worst is Impact.ADDITIVE for one in found)


def test_an_edited_migration_is_noticed_and_read() -> None:
    edited = ChangedFile(
        "migrations/1.sql", before="CREATE TABLE a (b int);", after="DROP TABLE a;"
    )
    (found,) = judge([edited])
    assert [one.impact for one in found.statements] == [Impact.UNCLEAR, Impact.NOT_ADDITIVE]
    assert "will not run it again" in found.statements[0].why


def test_new_comments_are_no_edit() -> None:
    before, after = "DROP TABLE a;", "-- why\nDROP  TABLE a; /* gone */\n"
    (found,) = judge([ChangedFile("migrations/1.sql", before=before, after=after)])
    assert found.statements == ()


def test_an_edited_repeatable_migration_is_no_edit_of_an_old_one() -> None:
    (found,) = judge(
        [ChangedFile("db/migration/R__v.sql", before="", after="CREATE VIEW v AS SELECT 1")]
    )
    assert found.worst is Impact.ADDITIVE


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (ChangedFile("migrations/1.sql", "added"), "could not be read"),
        (ChangedFile("migrations/1.sql", "removed"), "was removed"),
        (ChangedFile("migrations/2.sql", "renamed", "migrations/1.sql", after=""), "was renamed"),
        (ChangedFile("migrations/1.sql", after=""), "was edited"),
        (ChangedFile("db/migration/B9__base.sql", "added", after=""), "a baseline"),
        (ChangedFile("liquibase/1.xml", "added", after="<a/>"), "does not read"),
        (ChangedFile("migrations/1.sql", "added", after="x" * 1_000_001), "too long"),
        (ChangedFile("migrations/1.sql", "added", after="SELECT 1;" * 2002), "only its first"),
    ],
)
def test_what_cannot_be_judged_is_unclear(file: ChangedFile, says: str) -> None:
    (found,) = judge([file])
    assert found.worst is Impact.UNCLEAR
    assert any(says in one.why for one in found.statements)


def test_squashed_migrations_are_noticed() -> None:
    found = judge(
        [
            ChangedFile("migrations/1.sql", "removed"),
            ChangedFile("migrations/2.sql", "removed"),
            _added("migrations/3.sql", "CREATE TABLE a (id int)"),
        ]
    )
    assert "squashed" in found[0].statements[0].why
    text = "class Migration:\n    replaces = [('a', '0001')]\n    operations = []\n"
    (django,) = judge([_added("a/migrations/0001_squashed.py", text)])
    assert "squashes older" in django.statements[0].why


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("m/migrations/1.up.sql", "m/migrations/1.down.sql"),
        ("m/migrations/1.sql", "m/migrations/1.down.sql"),
        ("migrations/1_a/up.sql", "migrations/1_a/down.sql"),
        ("prisma/migrations/1_a/migration.sql", "prisma/migrations/1_a/down.sql"),
        ("db/migration/V1.2__a.sql", "db/migration/U1.2__b.sql"),
    ],
)
def test_what_undoes_a_migration_of_the_change_is_left_out(up: str, down: str) -> None:
    files = [_added(up, "CREATE TABLE a (b int)"), _added(down, "DROP TABLE a")]
    assert [one.path for one in judge(files)] == [up]
    (alone,) = judge(files[1:])
    assert alone.worst is Impact.UNCLEAR
    elsewhere = _added(f"other/{up}", "CREATE TABLE a (b int)")
    assert any(one.worst is Impact.UNCLEAR for one in judge([elsewhere, files[1]]))


DJANGO = (
    "class Migration(migrations.Migration):\n"
    "    operations = [migrations.RemoveField('order', 'total')]\n"
)
ALEMBIC = "from alembic import op\ndef upgrade():\n    op.drop_table('users')\n"
RAILS = "class X < ActiveRecord::Migration[7.0]\n  def change\n    drop_table :users\n  end\nend\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("db/migrations/0042_wind_down.sql", "DROP TABLE users;"),
        ("db/migrations/0042_x.rollback.sql", "DROP TABLE users;"),
        ("db/migration/V7__rollback.sql", "DROP TABLE users;"),
        ("prisma/migrations/2024_slow_down/migration.sql", "DROP TABLE users;"),
        ("migrations/schema.sql", "DROP TABLE users;"),
        ("migrations/1.SQL", "DROP TABLE users;"),
        ("migrations/1.psql", "DROP TABLE users;"),
        ("migrations/1.ddl", "DROP TABLE users;"),
        ("shop/migrations/0042_add_rollback.py", DJANGO),
        ("shop/migrations/drop_total.py", DJANGO),
        ("shop/migrations/test_total.py", DJANGO),
        ("shop/migrations/down.py", DJANGO),
        ("shop/migrations/0042_x.py", f"def upgrade_all(apps, editor):\n    pass\n{DJANGO}"),
        ("alembic/versions/ab12_tear_down.py", ALEMBIC),
        ("migrations/drop_users.py", ALEMBIC),
        ("db/migrate/20240101_add_wind_down.rb", RAILS),
        ("db/data/20240101000000_x.rb", RAILS),
    ],
)
def test_no_name_hides_what_a_migration_drops(path: str, text: str) -> None:
    (found,) = judge([_added(path, text)])
    assert found.worst is Impact.NOT_ADDITIVE, found.statements


@pytest.mark.parametrize(
    "path",
    [
        "migrations/drop_users.ts",
        "migrations/dropUsers.js",
        "db/migrations/drop_users.go",
        "migrations/001_x.sh",
        "migrations/0001_x.cql",
        "Migrations/Drop.vb",
        "migrations/Version2024.php",
        "priv/repo/migrations/20200101_x_down.exs",
        "migrations/2020_x_rollback.js",
        "shop/migrations/_shared.py",
        "db_migrate/x.rb",
        "migrations/meta/x.ts",
    ],
)
def test_code_of_any_name_among_migrations_is_unclear(path: str) -> None:
    assert is_migration(path)
    (found,) = judge([_added(path, "x")])
    assert found.worst is Impact.UNCLEAR


def test_a_module_that_may_be_django_s_or_alembic_s_is_unclear() -> None:
    (found,) = judge([_added("migrations/x.py", ALEMBIC + "class Migration:\n    pass\n")])
    assert found.worst is Impact.UNCLEAR


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("m/migrations/R__a.py", "x = '--'", "x = '--'; op.drop_table('a')"),
        ("db/migrate/1.rb", "x '/*'", "x '/*'; drop_table :a; '*/'"),
        ("mysql/migration/R__a.sql", "SELECT 1;", "SELECT 1; /*! DROP TABLE a */;"),
        ("migrations/1.sql", "SELECT 'a b';", "SELECT 'ab';"),
        ("migrations/1.sql", "-- migrate:up\n-- migrate:down\nDROP", "-- migrate:up\nDROP"),
        ("migrations/1.sql", "/* a", "/* b"),
        ("migrations/1.py", "if a:\n    b()\n    c()", "if a:\n    b()\nc()"),
        ("migrations/1.go", "// a", "// b"),
    ],
)
def test_what_is_no_comment_there_is_an_edit(path: str, before: str, after: str) -> None:
    (found,) = judge([ChangedFile(path, before=before, after=after)])
    assert found.worst is not Impact.ADDITIVE, found.statements


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a/migrations/0001_x.py", "a = 1  # one", "# a comment\na = 1"),
        ("db/migrate/1.rb", "# one\na :b", "a :b\n\n"),
        ("migrations/1.sql", "DROP TABLE a; -- one", "DROP\nTABLE a; /* two */"),
    ],
)
def test_comments_of_each_language_are_no_edit(path: str, before: str, after: str) -> None:
    (found,) = judge([ChangedFile(path, before=before, after=after)])
    assert found.statements == ()


@pytest.mark.parametrize(
    "path",
    ["prisma/migrations/1/migration.sql", "db/migration/V1__a.sql", "supabase/migrations/1.sql"],
)
@pytest.mark.parametrize("mark", ["-- +goose {}", "-- migrate:{}", "# --- !{}s", "-- +migrate {}"])
def test_marks_of_another_tool_hide_nothing(path: str, mark: str) -> None:
    text = f"{mark.format('Up')}\nSELECT 1;\n{mark.format('Down')}\nDROP TABLE users;"
    (found,) = judge([_added(path, text)])
    assert found.worst is not Impact.ADDITIVE


@pytest.mark.parametrize(
    ("text", "impact"),
    [
        ("-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE a;", Impact.ADDITIVE),
        ("-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE a;", Impact.ADDITIVE),
        ("# --- !Ups\nSELECT 1;\n# --- !Downs\nDROP TABLE a;", Impact.ADDITIVE),
        ("-- // the first\nSELECT 1;\n-- //@UNDO\nDROP TABLE a;", Impact.ADDITIVE),
        ("-- //@UNDO\nDROP TABLE a;", Impact.NOT_ADDITIVE),
        ("SELECT 1;\n-- migrate:down\nDROP TABLE a;", Impact.NOT_ADDITIVE),
        ("-- +goose Up\nSELECT 1;\n-- migrate:down\nDROP TABLE a;", Impact.NOT_ADDITIVE),
        (
            "-- +goose Up\n-- +goose Down\nDROP TABLE a;\n-- +goose Up\nDROP TABLE b;",
            Impact.NOT_ADDITIVE,
        ),
    ],
)
def test_only_what_its_own_tool_s_mark_undoes_is_left_out(text: str, impact: Impact) -> None:
    (found,) = judge([_added("migrations/1.sql", text)])
    assert found.worst is impact, found.statements


def test_earlier_migrations_tell_what_a_column_was() -> None:
    head = "class Migration:\n    operations = [{}]\n"
    earlier = _added(
        "a/migrations/0001.py",
        head.format("migrations.CreateModel('A', [('b', models.CharField(max_length=9))])"),
    )

    def altered(field: str) -> Impact:
        text = head.format(f"migrations.AlterField('a', 'b', models.{field})")
        (found,) = judge([_added("a/migrations/0002.py", text)], earlier=[earlier])
        return found.worst

    assert altered("CharField(max_length=9, help_text='b')") is Impact.ADDITIVE
    assert altered("CharField(max_length=20, null=True)") is Impact.ADDITIVE
    assert altered("CharField(max_length=5)") is Impact.NOT_ADDITIVE
    assert altered("CharField(max_length=9, unique=True)") is Impact.NOT_ADDITIVE
    assert altered("IntegerField()") is Impact.NOT_ADDITIVE


def test_what_an_edited_migration_creates_is_not_new() -> None:
    """Stable has run it long ago, so what is dropped from its tables is missed."""
    old = "CREATE TABLE users (id int, email text);"
    edited = ChangedFile(
        "migrations/1.sql", before=old, after=f"{old}\nCREATE INDEX i ON users(id);"
    )
    added = ChangedFile("migrations/2.sql", "added", after="ALTER TABLE users DROP COLUMN email;")
    _, second = judge([edited, added])
    assert second.worst is Impact.NOT_ADDITIVE


def test_what_a_squash_creates_is_not_new() -> None:
    """A follow-up that removes a field of it is missed by stable."""
    head = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n"
    squash = (
        f"{head}    replaces = [('shop', '0001_initial'), ('shop', '0002_more')]\n"
        "    operations = [migrations.CreateModel(name='User', fields=[\n"
        "        ('id', models.AutoField(primary_key=True)), ('email', models.TextField())])]\n"
    )
    follow = (
        f"{head}    dependencies = [('shop', '0001_squashed')]\n"
        "    operations = [migrations.RemoveField('user', 'email')]\n"
    )
    found = judge(
        [
            ChangedFile("shop/migrations/0001_squashed.py", "added", after=squash),
            ChangedFile("shop/migrations/0003_gone.py", "added", after=follow),
        ]
    )
    assert found[-1].worst is Impact.NOT_ADDITIVE


@pytest.mark.parametrize(
    "body",
    [
        "class Migration(other.Migration):\n    pass\n",
        "class Migration(migrations.Migration):\n    operations: list = [migrations.RunSQL('x')]\n",
        (
            "class Migration(migrations.Migration):\n    operations = []\n"
            "Migration.operations.append(migrations.DeleteModel('User'))\n"
        ),
    ],
)
def test_operations_that_are_not_one_plain_list_are_unclear(body: str) -> None:
    """More may be done than is written there."""
    text = f"from django.db import migrations\nfrom shop import other\n{body}"
    (found,) = judge([ChangedFile("shop/migrations/0007_odd.py", "added", after=text)])
    assert found.worst is Impact.UNCLEAR
