"""What operations of Alembic's and Django's mean for stable."""

import pytest

from bot.core.assessment import Impact
from bot.core.migrations import read_migration

FINE, UNCLEAR, BREAKS = Impact.ADDITIVE, Impact.UNCLEAR, Impact.NOT_ADDITIVE

ALEMBIC = [
    (FINE, "pass"),
    (FINE, "op.create_table('a', sa.Column('id', sa.Integer(), nullable=False))"),
    (FINE, "op.add_column('a', sa.Column('b', sa.Integer(), nullable=True))"),
    (FINE, "op.add_column('a', sa.Column('b', sa.Integer(), nullable=False, server_default='0'))"),
    (BREAKS, "op.add_column('a', sa.Column('b', sa.Integer(), nullable=False))"),
    (BREAKS, "op.add_column('a', sa.Column('b', sa.Integer(), nullable=False, default=0))"),
    (UNCLEAR, "op.add_column('a', sa.Column('b', sa.Integer(), nullable=NULLABLE))"),
    (UNCLEAR, "op.add_column('a', column)"),
    (BREAKS, "op.drop_column('a', 'b')"),
    (BREAKS, "op.drop_table('a')"),
    (BREAKS, "op.rename_table('a', 'b')"),
    (BREAKS, "op.alter_column('a', 'b', nullable=False)"),
    (FINE, "op.alter_column('a', 'b', existing_type=sa.Integer(), nullable=True)"),
    (BREAKS, "op.alter_column('a', 'b', new_column_name='c')"),
    (FINE, "op.alter_column('a', 'b', existing_type=sa.String(9), type_=sa.String(length=20))"),
    (FINE, "op.alter_column('a', 'b', existing_type=sa.String(9), type_=sa.Text())"),
    (BREAKS, "op.alter_column('a', 'b', existing_type=sa.Text(), type_=sa.String(9))"),
    (FINE, "op.alter_column('a', 'b', existing_type=sa.Integer(), type_=sa.BigInteger())"),
    (BREAKS, "op.alter_column('a', 'b', server_default=None)"),
    (BREAKS, "op.create_unique_constraint('u', 'a', ['b'])"),
    (BREAKS, "op.create_index('i', 'a', ['b'], unique=True)"),
    (FINE, "op.create_index('i', 'a', ['b'])"),
    (FINE, "op.drop_index('i', table_name='a')"),
    (BREAKS, "op.create_foreign_key('f', 'a', 'b', ['c'], ['id'])"),
    (BREAKS, "op.create_check_constraint('c', 'a', 'b > 0')"),
    (BREAKS, "with op.batch_alter_table('a') as batch:\n        batch.drop_column('b')"),
    (
        FINE,
        "with op.batch_alter_table('a') as batch:\n        batch.add_column(sa.Column('b', sa.Text))",
    ),
    (BREAKS, "op.execute('ALTER TABLE a DROP COLUMN b')"),
    (BREAKS, "op.execute(sa.text('ALTER TABLE a DROP COLUMN b'))"),
    (BREAKS, "sql = 'DROP TABLE a'\n    op.execute(sql)"),
    (BREAKS, "for t in ('a', 'b'):\n        op.execute(f'DROP TABLE {t}')"),
    (UNCLEAR, "op.execute(make_sql())"),
    (BREAKS, "if True:\n        helped()"),
    (UNCLEAR, "Session(bind=op.get_bind()).query(A).delete()"),
    (UNCLEAR, "op.frobnicate('a')"),
    (BREAKS, "connection = op.get_bind()\n    connection.execute('DROP TABLE a')"),
]


@pytest.mark.parametrize(("impact", "body"), ALEMBIC)
def test_what_upgrade_does_is_read(impact: Impact, body: str) -> None:
    text = (
        "from alembic import op\nimport sqlalchemy as sa\nrevision = 'a1'\n"
        "def helped():\n    op.drop_column('x', 'y')\n"
        f"def upgrade():\n    {body}\ndef downgrade():\n    op.drop_table('z')\n"
    )
    found = read_migration("alembic/versions/a1_x.py", text)
    assert found.dialect == "alembic"
    assert found.worst is impact, found.statements


NULL, TEXT = "models.IntegerField(null=True)", "models.TextField()"
DJANGO = [
    (FINE, "migrations.CreateModel('A', [('id', models.AutoField(primary_key=True))])"),
    (FINE, f"migrations.AddField('a', 'b', {NULL})"),
    (FINE, "migrations.AddField('a', 'b', models.IntegerField(db_default=0))"),
    (BREAKS, "migrations.AddField('a', 'b', models.IntegerField(default=0))"),
    (BREAKS, f"migrations.AddField(model_name='a', name='b', field={TEXT})"),
    (FINE, "migrations.AddField('a', 'b', models.ManyToManyField('c'))"),
    (FINE, f"migrations.CreateModel('A', []), migrations.AddField('a', 'b', {TEXT})"),
    (BREAKS, "migrations.RemoveField('a', 'b')"),
    (BREAKS, "migrations.RenameField('a', 'b', 'c')"),
    (BREAKS, "migrations.RenameModel('A', 'B')"),
    (BREAKS, "migrations.DeleteModel('A')"),
    (BREAKS, "migrations.AlterModelTable('a', 'b')"),
    (UNCLEAR, f"migrations.AlterField('a', 'b', {TEXT})"),
    (BREAKS, "migrations.AlterUniqueTogether('a', {('b', 'c')})"),
    (FINE, "migrations.AlterUniqueTogether(name='a', unique_together=set())"),
    (
        FINE,
        f"migrations.AddField('a', 'b', {NULL}), migrations.AlterUniqueTogether('a', {{('b', 'c')}})",
    ),
    (BREAKS, "migrations.AddConstraint('a', models.UniqueConstraint(fields=['b'], name='u'))"),
    (BREAKS, "migrations.AddConstraint('a', models.CheckConstraint(check=models.Q(), name='c'))"),
    (FINE, "migrations.RemoveConstraint('a', 'c')"),
    (FINE, "migrations.AddIndex('a', models.Index(fields=['b'], name='i'))"),
    (FINE, "migrations.AlterModelOptions('a', {})"),
    (FINE, "migrations.RunPython(migrations.RunPython.noop)"),
    (UNCLEAR, "migrations.RunPython(forward, migrations.RunPython.noop)"),
    (BREAKS, "migrations.RunSQL('DROP TABLE a', migrations.RunSQL.noop)"),
    (BREAKS, "migrations.RunSQL(['SELECT 1', ('DROP TABLE a', None)])"),
    (FINE, "migrations.RunSQL(migrations.RunSQL.noop, 'DROP TABLE a')"),
    (UNCLEAR, "migrations.RunSQL(make_sql())"),
    (FINE, "migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel('A')])"),
    (BREAKS, "migrations.SeparateDatabaseAndState([migrations.DeleteModel('A')], [])"),
    (FINE, "TrigramExtension()"),
    (UNCLEAR, "Frobnicate('a')"),
]


@pytest.mark.parametrize(("impact", "operations"), DJANGO)
def test_what_the_operations_do_is_read(impact: Impact, operations: str) -> None:
    text = f"class Migration(migrations.Migration):\n    operations = [{operations}]\n"
    found = read_migration("shop/migrations/0002_x.py", text)
    assert found.dialect == "django"
    assert found.worst is impact, found.statements


def test_a_default_of_djangos_is_told_from_one_of_the_databases() -> None:
    text = (
        "class Migration(migrations.Migration):\n    operations = [\n"
        "        migrations.AddField('a', 'b', models.IntegerField(default=0)),\n    ]\n"
    )
    (told,) = read_migration("shop/migrations/0002_x.py", text).statements
    assert told.line == 3
    assert "default= is not the database's" in told.why
    assert "db_default" in told.way_out
