"""What holds for the project as a whole: rollback is a flip, and the lock names no host."""

import ast
import re
from pathlib import Path

import yaml

from bot import ports
from bot.slack.manifest import manifest

ROOT = Path(__file__).parents[2]
DATABASES = {
    "alembic", "asyncpg", "django", "MySQLdb", "mysql", "peewee", "psycopg", "psycopg2", "pymongo",
    "pymysql", "sqlalchemy", "sqlite3",
}  # fmt: skip


def members(protocol: type) -> set[str]:
    """The public names of a port."""
    return {name for name in vars(protocol) if not name.startswith("_")}


def test_the_only_thing_a_port_can_change_in_production_is_the_split() -> None:
    """Rollback is a traffic flip, never a data operation: no port offers anything else."""
    assert members(ports.TrafficRouter) == {"smallest", "durable", "split", "shift"}
    assert members(ports.MetricSource) == {"read"}
    assert members(ports.LogSource) == {"events", "lines"}
    assert members(ports.ReadinessProbe) == {"check"}
    assert members(ports.ChangeSource) == {"compare"}
    assert members(ports.Subscriber) == {"notify"}


def test_no_module_could_reach_a_database() -> None:
    """Nothing that ships imports a database driver or a migration tool."""
    for path in [*ROOT.glob("bot/**/*.py"), *ROOT.glob("adapters/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert DATABASES.isdisjoint(name.split(".")[0] for name in names), path


def test_the_lock_pins_everything_with_hashes_and_names_no_host() -> None:
    """Whoever installs gets the same files from wherever they come."""
    text = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^[A-Za-z0-9._-]+==\S+", text, re.MULTILINE)

    assert len(pinned) > 30
    assert "://" not in text
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        assert not block or block.startswith("#") or "--hash=sha256:" in block, block


def test_the_manifest_asks_for_the_least() -> None:
    """Nine scopes, Socket Mode, interactivity, and one slash command that escapes names."""
    app = yaml.safe_load(manifest())

    assert app["oauth_config"]["scopes"]["bot"] == [
        "commands", "chat:write", "files:write", "files:read", "usergroups:read",
        "channels:read", "groups:read", "channels:history", "groups:history",
    ]  # fmt: skip
    assert app["settings"]["socket_mode_enabled"] is True
    assert app["settings"]["interactivity"]["is_enabled"] is True
    assert app["features"]["slash_commands"][0]["should_escape"] is True


def test_every_test_the_readme_names_is_there() -> None:
    """What is said to be proven is proven by something."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "README.md").read_text()))
    tests = "".join(path.read_text() for path in ROOT.glob("tests/**/test_*.py"))

    assert len(named) > 30
    assert [] == [name for name in sorted(named) if f"def {name}(" not in tests]
