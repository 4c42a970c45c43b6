"""The bot's own log: JSON in production, and every line about a canary says of which."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from unit.observed.watched import replica
from world import Outside, a_start, a_store

from bot.logs import set_up_logging
from bot.ports.meters import NO_METERS


class Written:
    """What the bot has written to standard error so far."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._captured.readouterr().err
        return self._text

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    before = structlog.get_config()
    set_up_logging()
    yield Written(capsys)
    structlog.configure(**before)


async def test_every_line_about_a_canary_names_it(written: Written) -> None:
    """Flips, evidence that fails, and faults of adapters carry id, service and revision."""
    outside = Outside(slack_down=True)
    async with replica(outside, a_store(), NO_METERS) as bot:
        await bot.service.start(a_start(window=timedelta(seconds=30)))
        await bot.until("shop-abc123", lambda canary: canary.last_look_at is not None)
        outside.sources_down = True  # the log adapter has a bug then
        for event in ("source.adapter_failed", "outbox.failed"):
            await bot.until("shop-abc123", lambda _, event=event: event in written.text)  # type: ignore[misc] # a lambda's default has no type

    told = written.lines
    by_event = {line["event"]: line for line in told}
    assert {"flip.confirmed", "source.adapter_failed", "outbox.failed"} <= by_event.keys()
    for line in told:
        if line["event"] == "canary.started":
            continue  # names its canary itself
        assert line["canary_id"] == "shop-abc123", line
        assert (line["service"], line["revision"]) == ("shop", "v2"), line
        assert line["timestamp"]
        assert line["level"]


async def test_two_canaries_are_not_taken_for_one_another(written: Written) -> None:
    """What one canary begins in the background does not speak in its name for ever."""
    seen: list[dict[str, Any]] = []
    outside = Outside()
    outside.show = lambda canary: seen.append(structlog.contextvars.get_contextvars())  # type: ignore[method-assign] # to see in whose name it is called
    async with replica(outside, a_store(), NO_METERS) as bot:
        await bot.service.start(a_start())
        await bot.until("shop-abc123", lambda canary: canary.is_ended)
        assert structlog.contextvars.get_contextvars() == {}

    assert seen
    assert all(bound == {} for bound in seen)
