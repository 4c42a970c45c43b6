"""Tokens are made, listed, rotated and revoked by whoever has the bot's Redis."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from builders import ADA, NOON
from redis_server import VALKEY, RedisServer
from typer.testing import CliRunner

from adapters.stores.access_memory import MemoryTokens
from adapters.stores.audit import MemoryAuditLog
from bot.api.secrets import digest, is_whole
from bot.config import Settings
from bot.config.example import EXAMPLE
from bot.token_commands import app
from bot.tokens import TokenDesk, permissions


@dataclass
class _Settings:
    def service_names(self) -> tuple[str, ...]:
        return ("cart", "shop")


@pytest.fixture
def tokens() -> MemoryTokens:
    return MemoryTokens()


@pytest.fixture
def desk(tokens: MemoryTokens) -> TokenDesk:
    return TokenDesk(tokens, cast("Settings", _Settings()), NOON)


async def test_a_secret_is_told_once_and_kept_only_as_its_digest(
    desk: TokenDesk, tokens: MemoryTokens
) -> None:
    """With what it may, for which services, and until when."""
    secret = await desk.create("ci", ("shop", "cart", "shop"), "read start", timedelta(days=90))
    (token,) = await tokens.all()

    assert is_whole(secret)
    assert secret not in repr(token)
    assert [key.digest for key in token.keys] == [digest(secret)]
    assert (token.permissions, token.services) == (("start", "read"), ("cart", "shop"))
    assert token.expires_at == NOON + timedelta(days=90)


async def test_what_is_done_to_tokens_is_on_the_record(tokens: MemoryTokens) -> None:
    """By whom, and what it opens; never what opens it."""
    trail = MemoryAuditLog()
    desk = TokenDesk(tokens, cast("Settings", _Settings()), NOON, trail, ADA)
    secret = await desk.create("ci", ("shop",), "read")
    with pytest.raises(ValueError, match="already"):
        await desk.create("ci", ("shop",), "read")
    await desk.rotate("ci", timedelta(minutes=5))
    await desk.revoke("ci")
    deeds = await trail.deeds()

    assert [deed.what for deed in deeds] == ["token.made", "token.rotated", "token.revoked"]
    assert {(deed.by, deed.about) for deed in deeds} == {(ADA, "ci")}
    assert deeds[0].data["services"] == "shop"
    assert secret not in repr(deeds)
    assert digest(secret) not in repr(deeds)


async def test_both_secrets_count_during_a_rotation(desk: TokenDesk, tokens: MemoryTokens) -> None:
    """The old one until its grace is over; without grace, not at all."""
    old = await desk.create("ci", (), "read", every=True)
    new = await desk.rotate("ci", timedelta(minutes=5))
    (token,) = await tokens.all()
    assert [key.digest for key in token.keys] == [digest(new), digest(old)]
    assert [key.until for key in token.keys] == [None, NOON + timedelta(minutes=5)]

    await desk.rotate("ci", timedelta(0))
    (token,) = await tokens.all()
    assert len(token.keys) == 1


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (("CI!", ("shop",), "read"), "is no name for a token"),
        (("ci", ("shpo",), "read"), "Did you mean shop"),
        (("ci", (), "read"), "--all-services"),
        (("ci", ("shop",), "raed"), "Did you mean read"),
        (("ci", ("shop",), ""), "start, read, abort"),
    ],
)
async def test_a_mistake_makes_no_token(
    desk: TokenDesk, tokens: MemoryTokens, wanted: tuple[str, tuple[str, ...], str], words: str
) -> None:
    """And says what would be right."""
    with pytest.raises(ValueError, match=words):
        await desk.create(*wanted)
    assert await tokens.all() == ()


async def test_a_name_is_taken_once_and_an_unknown_one_has_a_near_one(desk: TokenDesk) -> None:
    """For rotate and revoke."""
    await desk.create("shop-ci", ("shop",), "read")

    with pytest.raises(ValueError, match="canary token rotate shop-ci"):
        await desk.create("shop-ci", ("shop",), "read")
    with pytest.raises(ValueError, match="Did you mean shop-ci"):
        await desk.rotate("shop-cl")
    with pytest.raises(ValueError, match="Did you mean shop-ci"):
        await desk.revoke("shop_ci")
    await desk.revoke("shop-ci")
    assert await desk.rows() == []


def test_permissions_come_in_their_own_order() -> None:
    """However they were written."""
    assert permissions(" read,START ") == ("start", "read")


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """A configuration whose Redis runs."""
    server = RedisServer(VALKEY, tmp_path)
    server.start()
    path = tmp_path / "canary.yaml"
    path.write_text(EXAMPLE.replace("redis://127.0.0.1:6379/0", server.url))
    yield path
    server.kill()


def test_the_command_makes_lists_rotates_and_revokes(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret alone goes to standard output, and is in no list."""
    monkeypatch.delenv("CANARY_REDIS_URL", raising=False)
    runner, where = CliRunner(), ["--config", str(config)]

    def run(*words: str) -> tuple[int, str, str]:
        result = runner.invoke(app, [*words, *where], env={"COLUMNS": "200"})
        return result.exit_code, result.stdout, result.stderr

    assert "There is no token yet" in run("list")[1]
    made = run("create", "ci", "--service", "checkout", "--can", "start,read", "--expires", "90d")
    assert made[0] == 0
    assert is_whole(made[1].strip())
    listed = run("list")[1]
    assert "checkout" in listed
    assert "start, read" in listed
    assert made[1].strip() not in listed
    assert is_whole(run("rotate", "ci", "--grace", "0s")[1].strip())
    assert run("revoke", "ci")[0] == 0
    code, _, words = run("revoke", "ci")
    assert code == 2
    assert "unknown token 'ci'" in words
    assert run("create", "ci", "--expires", "soon")[0] == 2
