"""Every part of the benchmark runs, at a size at which its times mean nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bench.engine import fleet
from bench.engine.__main__ import PARTS, main
from bench.engine.ack import acknowledged
from bench.engine.adopt import adopted
from bench.engine.breach import breached
from bench.engine.carry import carried
from bench.engine.figures import Figure, quantile, table
from bench.engine.scraped import from_prometheus
from bench.engine.traffic import Lags, Simulated, Timed, Trace

from bot.core.machine import Refused, transition
from bot.core.reading import Counters, Reading

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


async def figures(part: AsyncIterator[Figure]) -> dict[str, float | None]:
    """What a part found, by what it says of it."""
    return {figure.what: figure.value async for figure in part}


def of(found: dict[str, float | None], words: str) -> float:
    """The one value whose row ends so."""
    (value,) = (value for what, value in found.items() if what.endswith(words))
    assert value is not None, found
    return value


async def test_canaries_are_carried_and_their_looks_counted() -> None:
    """Every look of a healthy canary is one write, and all are taken over from the dead replica."""
    found = await figures(carried("carry", (4,), 2.5, tick=1.0))

    assert of(found, "Redis commands a look") >= 1
    assert of(found, "looks of those due") > 0
    assert of(found, "tick lag p99") > 0


@pytest.mark.external_service
async def test_canaries_are_carried_on_the_counters_of_a_prometheus() -> None:
    """The series of the exporter's page reach the bot through a real Prometheus."""
    found = await figures(carried("prometheus", (2,), 2.5, from_prometheus, tick=1.0))

    assert of(found, "looks of those due") > 0


async def test_a_breach_is_timed_until_envoy_shows_it() -> None:
    """Each service that turns bad is rolled back by the bot, which Envoy itself confirms."""
    found = await figures(breached(1, 2))

    assert of(found, "never flipped") == 0
    assert of(found, "the same from the breach on, p99") > 0


async def test_a_killed_replicas_canaries_are_all_adopted() -> None:
    """The other replica takes the first one no later than the last."""
    found = await figures(adopted(3))

    assert of(found, "the first one is adopted") <= of(found, "until all are")


async def test_commands_are_typed_and_acknowledged() -> None:
    """Every command that is typed into the local Slack is acknowledged by the bot."""
    found = await figures(acknowledged(3, 0.5))

    assert of(found, "not acknowledged") == 0


def test_the_breach_is_one_look_away() -> None:
    """On the brink nothing is a breach yet, and what is shown next makes it one."""
    settings = fleet.settings("redis://127.0.0.1:1", 1, tick=timedelta(seconds=1))
    brink = fleet.brink(Trace(NOON), settings.plan_for(fleet.service_name(0)), NOON)
    canary, (before, after) = brink.canary, brink.readings

    def shown(reading: Reading) -> str:
        assert canary.last_look_at is not None
        at = canary.last_look_at + timedelta(seconds=1)
        move = transition(canary, fleet.observed(reading, canary.last_look_at, at))
        assert not isinstance(move, Refused)
        return move.canary.phase.kind

    assert ("observing", "rolling_back") == (shown(before), shown(after))


def test_counters_only_rise() -> None:
    """However often the trace begins anew, no instance seems to restart."""
    trace = Trace(NOON)
    before = Counters(0, 0)
    for minute in range(50):
        now = trace.instances(3, "blue", NOON + timedelta(minutes=minute))["blue-0"]
        assert before.requests <= now.requests == now.timed
        assert before.errors <= now.errors <= now.requests
        before = now


async def test_a_look_is_late_by_its_own_grid() -> None:
    """A look that was left out counts as none, and the next one from its own time."""
    now, lags = [NOON], Lags()
    source = Simulated(Trace(NOON), 0, lambda: now[0])
    timed = Timed(source, lags, lambda: now[0], NOON, timedelta(seconds=10))
    for seconds in (1, 10.5, 35, 40):
        now[0] = NOON + timedelta(seconds=seconds)
        await timed.read(fleet.ARMS)

    assert [1, 0.5, 15, 0] == lags.seconds


def test_a_goal_is_met_or_missed() -> None:
    """What could not be measured has missed its goal, and what has none says nothing."""
    rows = [
        Figure("a", "late", 999.0, "ms", 1000.0),
        Figure("a", "later", None, "ms", 1000.0),
        Figure("a", "many", 5000.0, "canaries", 5000.0, at_least=True),
        Figure("a", "plain", 1.0, ""),
    ]

    assert ["OK", "MISSED", "OK", ""] == [row.verdict for row in rows]
    assert "| a | later | - | ≤ 1,000 ms | MISSED |" in table(rows)
    assert (3, None) == (quantile([3, 1, 2], 0.99), quantile([], 0.5))


def test_a_part_that_cannot_be_measured_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are still printed and saved, and what was wrong is said."""

    async def fails(_quick: bool, _profile: str) -> AsyncIterator[Figure]:
        yield Figure("carry", "first", 1.0, "ms")
        raise AssertionError("no Valkey here")

    monkeypatch.setitem(PARTS, "carry", fails)
    saved = tmp_path / "new" / "engine.json"

    assert main(["--part", "carry", "--save", str(saved)]) == 1
    assert "carry could not be measured: no Valkey here" in capsys.readouterr().err
    assert '"first"' in saved.read_text(encoding="utf-8")
