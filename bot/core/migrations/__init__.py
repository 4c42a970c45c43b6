"""Whether stable works on against the schema a change's migrations leave behind.

    if is_migration(path): ...
    for migration in judge(change.files):
        migration.worst                    # additive, unclear or not additive
        migration.statements               # each with its line, why, and the way out

Every reader turns its files (SQL, Alembic, Django, Rails) into the same few steps; one set of rules
says what a step means for a stable revision that reads and writes on with the old code. What is not
understood is unclear, never additive. Nothing is executed, and no text makes it raise.
"""

from bot.core.migrations.past import needs_earlier
from bot.core.migrations.paths import home_of, is_migration, is_snapshot
from bot.core.migrations.steps import Migration
from bot.core.migrations.whole import judge, read_migration, unexplained

__all__ = [
    "Migration",
    "home_of",
    "is_migration",
    "is_snapshot",
    "judge",
    "needs_earlier",
    "read_migration",
    "unexplained",
]
