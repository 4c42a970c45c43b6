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


def test_what_undoes_a_migration_is_left_out() -> None:
    assert judge([_added("migrations/1.down.sql", "DROP TABLE a")]) == ()


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
