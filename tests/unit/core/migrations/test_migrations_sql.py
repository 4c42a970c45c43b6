"""What statements of SQL mean for stable, by dialect."""

import pytest

from bot.core.assessment import Impact
from bot.core.migrations import read_migration

FINE, UNCLEAR, BREAKS = Impact.ADDITIVE, Impact.UNCLEAR, Impact.NOT_ADDITIVE

POSTGRES = [
    (FINE, "CREATE TABLE a (id int NOT NULL)"),
    (FINE, "CREATE TABLE a (id int); ALTER TABLE a ADD COLUMN b int NOT NULL; DROP TABLE a"),
    (FINE, 'CREATE TABLE "public"."A" (id int); CREATE UNIQUE INDEX i ON "A"(id)'),
    (BREAKS, "CREATE TABLE audit.a (id int); ALTER TABLE a DROP COLUMN b"),
    (BREAKS, "DROP TABLE IF EXISTS a; CREATE TABLE a (id int)"),
    (FINE, "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a(b)"),
    (BREAKS, "CREATE UNIQUE INDEX CONCURRENTLY i ON a(b)"),
    (FINE, "ALTER TABLE a ADD b int; CREATE UNIQUE INDEX i ON a(b)"),
    (BREAKS, "ALTER TABLE a ADD b int; CREATE UNIQUE INDEX i ON a(b) NULLS NOT DISTINCT"),
    (BREAKS, "ALTER TABLE a ADD b int NOT NULL DEFAULT 1; CREATE UNIQUE INDEX i ON a(b)"),
    (FINE, "CREATE VIEW v AS SELECT 1"),
    (UNCLEAR, "CREATE OR REPLACE VIEW v AS SELECT 1"),
    (FINE, "CREATE TYPE t AS ENUM ('a', 'b')"),
    (FINE, "CREATE FUNCTION f() RETURNS int AS $$ BEGIN DROP TABLE x; END $$ LANGUAGE plpgsql"),
    (UNCLEAR, "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql"),
    (UNCLEAR, "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()"),
    (FINE, "ALTER TABLE a ADD COLUMN b int"),
    (FINE, "ALTER TABLE a ADD COLUMN IF NOT EXISTS b text NOT NULL DEFAULT ''"),
    (FINE, "ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS (c + 1) STORED NOT NULL"),
    (FINE, "ALTER TABLE a ADD b bigserial NOT NULL"),
    (BREAKS, "ALTER TABLE a ADD COLUMN b int NOT NULL"),
    (BREAKS, "ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT NULL"),
    (BREAKS, "ALTER TABLE a ADD COLUMN b int, DROP COLUMN c"),
    (BREAKS, "ALTER TABLE ONLY a DROP b"),
    (FINE, "ALTER TABLE a ADD COLUMN b int; ALTER TABLE a DROP COLUMN b"),
    (BREAKS, "ALTER TABLE a ADD b int; ALTER TABLE a ALTER b SET NOT NULL"),
    (BREAKS, "ALTER TABLE a ADD b int NOT NULL DEFAULT 1; ALTER TABLE a ALTER b DROP DEFAULT"),
    (BREAKS, "ALTER TABLE a RENAME COLUMN b TO c"),
    (BREAKS, "ALTER TABLE a RENAME b TO c"),
    (BREAKS, "ALTER TABLE a RENAME TO b"),
    (FINE, "ALTER TABLE a RENAME CONSTRAINT b TO c"),
    (FINE, "ALTER INDEX a RENAME TO b"),
    (BREAKS, "ALTER TABLE a ALTER COLUMN b SET NOT NULL"),
    (FINE, "ALTER TABLE a ALTER COLUMN b DROP NOT NULL"),
    (BREAKS, "ALTER TABLE a ALTER COLUMN b DROP DEFAULT"),
    (BREAKS, "ALTER TABLE a ALTER COLUMN b SET DEFAULT NULL"),
    (FINE, "ALTER TABLE a ALTER COLUMN b SET DEFAULT 1"),
    (BREAKS, "ALTER TABLE a ALTER COLUMN b TYPE bigint"),
    (BREAKS, "ALTER TABLE a ALTER COLUMN b TYPE int"),
    (BREAKS, "ALTER TABLE a ALTER COLUMN b SET DATA TYPE text USING b::text"),
    (BREAKS, "ALTER TABLE a ADD CONSTRAINT u UNIQUE (b)"),
    (BREAKS, "ALTER TABLE a ADD UNIQUE (b)"),
    (BREAKS, "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (id) NOT VALID"),
    (FINE, "ALTER TABLE a ADD b int; ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (id)"),
    (BREAKS, "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID"),
    (FINE, "ALTER TABLE a VALIDATE CONSTRAINT c"),
    (BREAKS, "ALTER TABLE a ADD PRIMARY KEY (b)"),
    (BREAKS, "ALTER TABLE a DROP CONSTRAINT a_pkey"),
    (FINE, "ALTER TABLE a DROP CONSTRAINT IF EXISTS a_b_key"),
    (BREAKS, "ALTER TABLE a ENABLE ROW LEVEL SECURITY"),
    (BREAKS, "CREATE POLICY p ON a USING (true)"),
    (BREAKS, "ALTER POLICY p ON a USING (false)"),
    (BREAKS, "DROP POLICY IF EXISTS p ON a"),
    (
        FINE,
        "CREATE TABLE a (id int); ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON a",
    ),
    (FINE, "ALTER TYPE t ADD VALUE IF NOT EXISTS 'x'"),
    (BREAKS, "ALTER TYPE t RENAME VALUE 'x' TO 'y'"),
    (BREAKS, "ALTER TYPE t RENAME TO u"),
    (BREAKS, "DROP TYPE t"),
    (BREAKS, "DROP VIEW v"),
    (BREAKS, "DROP FUNCTION f(int)"),
    (BREAKS, "DROP SCHEMA s CASCADE"),
    (FINE, "DROP INDEX CONCURRENTLY IF EXISTS i"),
    (UNCLEAR, "DROP TRIGGER t ON a"),
    (BREAKS, "TRUNCATE a, b"),
    (BREAKS, "DELETE FROM a"),
    (UNCLEAR, "DELETE FROM a WHERE b = 1"),
    (UNCLEAR, "UPDATE a SET b = 1"),
    (FINE, "ALTER TABLE a ADD b int; UPDATE a SET b = 1 WHERE c = 2"),
    (UNCLEAR, "ALTER TABLE a ADD b int; UPDATE a SET b = 1, c = 2"),
    (FINE, "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING"),
    (UNCLEAR, "INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET b = 1"),
    (UNCLEAR, "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x"),
    (FINE, "COMMENT ON COLUMN a.b IS 'DROP TABLE a;'"),
    (FINE, "GRANT SELECT ON a TO b"),
    (BREAKS, "REVOKE SELECT ON a FROM b"),
    (FINE, "CREATE EXTENSION IF NOT EXISTS citext"),
    (FINE, "BEGIN; SET lock_timeout = '1s'; SELECT pg_catalog.set_config('a', '', false); COMMIT"),
    (UNCLEAR, "SELECT drop_everything()"),
    (UNCLEAR, "CALL p()"),
    (UNCLEAR, "FROBNICATE a"),
    (UNCLEAR, "CREATE TABLE a (b text DEFAULT 'never closed"),
    (BREAKS, "DO $$ BEGIN IF true THEN ALTER TABLE a DROP COLUMN b; END IF; END $$"),
    (
        FINE,
        "DO $$ BEGIN CREATE TYPE t AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END $$",
    ),
    (UNCLEAR, "DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE a'; END $$"),
    (BREAKS, "ALTER TABLE a DETACH PARTITION b"),
    (BREAKS, "CREATE INDEX i ON a(b)\nDROP TABLE c"),
    (BREAKS, "/* a ; */ -- b ;\nDROP TABLE c"),
]

POSTGRES += [
    (BREAKS, "CREATE TABLE IF NOT EXISTS a (id int); ALTER TABLE a DROP COLUMN b"),
    (FINE, "CREATE TABLE IF NOT EXISTS a (id int); CREATE UNIQUE INDEX i ON a(id)"),
    (UNCLEAR, "CREATE INDEX i ON a(b) DROP TABLE c"),
    (UNCLEAR, "ALTER TABLE a ADD b int DROP COLUMN c"),
    (UNCLEAR, "EXPLAIN ANALYZE DELETE FROM a"),
    (BREAKS, "ALTER TABLE a RENAME TO b; CREATE TABLE a (id int); ALTER TABLE a DROP COLUMN c"),
]

MYSQL = [
    (FINE, "ALTER TABLE `a` ADD COLUMN `b` int NULL AFTER `c`, ADD INDEX `i` (`b`)"),
    (BREAKS, "ALTER TABLE `a` ADD (`b` int NOT NULL)"),
    (BREAKS, "ALTER TABLE `a` ADD UNIQUE KEY `u` (`b`)"),
    (BREAKS, "ALTER TABLE `a` MODIFY `b` varchar(10) NOT NULL"),
    (BREAKS, "ALTER TABLE `a` MODIFY COLUMN `b` varchar(200)"),
    (BREAKS, "ALTER TABLE `a` CHANGE `b` `c` int"),
    (BREAKS, "RENAME TABLE `a` TO `b`"),
    (FINE, "ALTER TABLE `a` DROP INDEX `i`"),
    (BREAKS, "ALTER TABLE `a` DROP PRIMARY KEY"),
    (BREAKS, "/*!40000 ALTER TABLE `a` DROP COLUMN `b` */"),
    (UNCLEAR, "REPLACE INTO `a` VALUES ('it\\'s; DROP')"),
    (FINE, "INSERT IGNORE INTO `a` VALUES ('it\\'s; DROP TABLE x;')"),
    (
        UNCLEAR,
        "DELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON `a` FOR EACH ROW BEGIN SET @a=1; END//",
    ),
    (
        BREAKS,
        "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;\nDROP TABLE `a`;",
    ),
]

OTHERS = [
    (BREAKS, "EXEC sp_rename 'dbo.a.b', 'c', 'COLUMN'"),
    (BREAKS, "ALTER TABLE [dbo].[a] ADD [b] [int] NOT NULL\nGO\n"),
    (FINE, "ALTER TABLE [dbo].[a] ADD [b] nvarchar(9) NULL, [c] int NOT NULL DEFAULT 0\nGO\n"),
    (BREAKS, "IF COL_LENGTH('a', 'b') IS NOT NULL BEGIN ALTER TABLE a DROP COLUMN b END\nGO\n"),
    (BREAKS, "ALTER TABLE a ALTER COLUMN b nvarchar(9) NOT NULL\nGO\n"),
    (
        BREAKS,
        (
            'PRAGMA foreign_keys=OFF; CREATE TABLE "new_a" (id int); INSERT INTO "new_a" SELECT id FROM a;'
            ' DROP TABLE "a"; ALTER TABLE "new_a" RENAME TO "a"'
        ),
    ),
]


@pytest.mark.parametrize(("impact", "sql"), [*POSTGRES, *MYSQL, *OTHERS])
def test_a_statement_is_as_bad_as_what_it_does_to_stable(impact: Impact, sql: str) -> None:
    found = read_migration("migrations/1_x.sql", sql)
    assert found.worst is impact, found.statements


def test_what_is_not_additive_says_why_and_the_way_out() -> None:
    (told,) = read_migration(
        "migrations/1.sql", "\n\nALTER TABLE users DROP COLUMN email"
    ).statements
    assert (told.line, told.text) == (3, "ALTER TABLE users DROP COLUMN email")
    assert told.why == "stable still uses the column users.email, which is dropped here"
    assert told.way_out.startswith("Release 1: stop reading and writing the column.")


def test_long_strings_are_not_shown() -> None:
    text = "INSERT INTO a VALUES ('ok', 'sk_live_0123456789abcdefghijklmnop')"
    (told,) = read_migration("migrations/1.sql", text).statements
    assert "sk_live" not in told.text
    assert "'ok'" in told.text


@pytest.mark.parametrize("mark", ["+goose Down", "+migrate Down", "migrate:down"])
def test_what_undoes_a_migration_is_not_read(mark: str) -> None:
    text = f"-- +goose Up\nCREATE TABLE a (id int);\n-- {mark}\nDROP TABLE a;\n"
    assert read_migration("migrations/1.sql", text).worst is FINE


def test_prismas_warning_tells_which_column_a_rebuilt_table_loses() -> None:
    text = (
        "/*\n  Warnings:\n  - You are about to drop the column `b` on the `a` table. All data lost.\n*/\n"
        '-- RedefineTables\nCREATE TABLE "new_a" (id int);\nDROP TABLE "a";\n'
    )
    found = read_migration("prisma/migrations/1_x/migration.sql", text)
    assert found.statements[0].line == 3
    assert found.worst is BREAKS


def test_the_lines_within_a_block_are_exact() -> None:
    text = "SELECT 1;\nDO $$\nBEGIN\n  ALTER TABLE a DROP COLUMN b;\nEND $$;"
    found = read_migration("migrations/1.sql", text)
    assert [one.line for one in found.statements if one.impact is BREAKS] == [4]
