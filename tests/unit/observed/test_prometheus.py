"""What is scraped: after whole canaries, and however wild what comes from outside is."""

from datetime import timedelta

import pytest
from builders import NOON, a_canary
from prometheus_client.parser import text_string_to_metric_families
from unit.observed.watched import replica
from world import Outside, a_start, a_store

from bot.core.canary import AwaitingDecision, Cause, RollingBack
from bot.core.canary import PendingApproval as Pending
from bot.core.plan import Gate
from bot.observed import Health, PrometheusMeters, harmless


def value(meters: PrometheusMeters, name: str, **labels: str) -> float | None:
    return meters.registry.get_sample_value(f"canarybot_{name}", labels)


async def test_a_rollout_is_counted_from_its_start_to_its_end() -> None:
    """A healthy canary: taken, looked at, flipped twice, promoted; nobody has breached."""
    meters, outside = PrometheusMeters(Health()), Outside()
    async with replica(outside, a_store(), meters) as bot:
        meters.follow(lambda: [held.canary for held in bot.loop.held.values()])
        await bot.service.start(a_start())
        await bot.until("shop-abc123", lambda canary: canary.is_finished)

    assert value(meters, "canaries_taken_total", service="shop", how="started") == 1
    ended = {"service": "shop", "tier": "safe"}
    assert value(meters, "canaries_ended_total", **ended, end="promoted", cause="") == 1
    assert value(meters, "canaries_ended_total", **ended, end="rolled_back", cause="breach") == 0
    assert value(meters, "breaches_total", service="shop") == 0
    assert value(meters, "flip_seconds_count", direction="step") == 1
    assert value(meters, "flip_seconds_count", direction="promotion") == 1
    looks = value(meters, "effect_seconds_count", effect="observe", service="shop")
    assert looks is not None
    assert looks >= 6
    assert (value(meters, "tick_lag_seconds_count") or 0) >= 6
    assert (value(meters, "store_seconds_count", operation="save") or 0) > 0
    assert (value(meters, "adapter_seconds_count", part="metrics", service="shop") or 0) >= 6
    assert value(meters, "store_up") == 1


async def test_a_breach_is_counted_with_the_time_it_took() -> None:
    """A bad canary: one breach, one detection, one rollback read back, and its cause."""
    meters, outside = PrometheusMeters(), Outside(error_rate=0.5)
    async with replica(outside, a_store(), meters) as bot:
        await bot.service.start(a_start(window=timedelta(seconds=30)))
        await bot.until("shop-abc123", lambda canary: canary.is_finished)

    assert value(meters, "breaches_total", service="shop") == 1
    assert value(meters, "detect_seconds_count", service="shop") == 1
    assert value(meters, "flip_seconds_count", direction="rollback") == 1
    ended = {"service": "shop", "tier": "safe", "end": "rolled_back", "cause": "breach"}
    assert value(meters, "canaries_ended_total", **ended) == 1

    meters.marked("shop", false=True)
    assert value(meters, "rollbacks_marked_total", service="shop", alarm="false") == 1


async def test_silence_of_people_is_counted_as_that() -> None:
    meters, outside = PrometheusMeters(), Outside()
    gate = Gate(("anyone",), timedelta(milliseconds=200))
    async with replica(outside, a_store(), meters) as bot:
        await bot.service.start(a_start(start_gate=gate))
        await bot.until("shop-abc123", lambda canary: canary.is_ended)

    name = "waited_for_people_seconds_count"
    assert value(meters, name, question="start", answer="silence") == 1
    assert value(meters, "canaries_ended_total", service="shop", tier="safe", end="rejected",
                 cause="") == 1  # fmt: skip


async def test_failing_adapters_are_counted_by_part_and_kind() -> None:
    """Metrics that refuse and a log adapter with a bug are seen apart."""
    meters, outside = PrometheusMeters(), Outside()
    async with replica(outside, a_store(), meters) as bot:
        await bot.service.start(a_start(window=timedelta(seconds=30)))
        await bot.until("shop-abc123", lambda canary: canary.last_look_at is not None)
        outside.sources_down = True
        for part, kind in (("metrics", "unreachable"), ("logs", "fault")):
            labels = {"part": part, "service": "shop", "kind": kind}
            await bot.until(
                "shop-abc123",
                lambda _, labels=labels: bool(value(meters, "adapter_errors_total", **labels)),  # type: ignore[misc] # a lambda's default has no type
            )


@pytest.mark.parametrize("broken", ["moved", "during", "woke", "taken", "beat", "store_asked"])
async def test_a_meter_that_fails_stops_nobody(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a meter does, a bad canary is rolled back."""
    meters, outside = PrometheusMeters(), Outside(error_rate=0.5)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no space left")

    monkeypatch.setattr(meters, broken, fail)
    async with replica(outside, a_store(), harmless(meters)) as bot:
        await bot.service.start(a_start(window=timedelta(seconds=30)))
        ended = await bot.until("shop-abc123", lambda canary: canary.is_finished)

    assert ended.phase.kind == "rolled_back"


def test_what_waits_and_what_rolls_back_is_shown_with_its_time() -> None:
    """Gauges are made of the canaries as they are, so that none is left behind."""
    meters = PrometheusMeters()
    later = NOON + timedelta(hours=1)
    canaries = [
        a_canary(),
        a_canary(service="cart", phase=AwaitingDecision(0, "thin", NOON, later)),
        a_canary(service="mail", phase=Pending(NOON, later)),
        a_canary(service="auth", phase=RollingBack(Cause("breach", "…"), NOON)),
    ]
    meters.follow(lambda: canaries)

    until = "waiting_until_timestamp_seconds"
    assert value(meters, "canaries_live", service="shop", phase="observing") == 1
    assert value(meters, until, service="cart", question="thin") == later.timestamp()
    assert value(meters, until, service="mail", question="start") == later.timestamp()
    since = "rolling_back_since_timestamp_seconds"
    assert value(meters, since, service="auth") == NOON.timestamp()

    canaries.clear()
    assert value(meters, since, service="auth") is None


def test_what_comes_from_outside_makes_no_endless_series() -> None:
    """Slack's errors and foreign HTTP methods are bounded; no label holds an id."""
    meters = PrometheusMeters()
    for number in range(500):
        meters.slack_called("chat.update", f"made_up_{number}")
        meters.slack_called("chat.update", f"Text with {number} and\nmore")
        meters.requested("/v1/canaries", f"X{number}", 405, 0.1)
    meters.taken(a_canary(), adopted=False)

    text = meters.exposition()[0].decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert len(families["canarybot_slack_errors"].samples) <= 2 * 61
    assert len(families["canarybot_api_requests"].samples) <= 2
    assert a_canary().id not in text


def test_both_text_formats_are_spoken() -> None:
    meters = PrometheusMeters()

    plain, plain_type = meters.exposition()
    opened, open_type = meters.exposition("application/openmetrics-text; version=1.0.0")

    assert plain_type.startswith("text/plain")
    assert open_type.startswith("application/openmetrics-text")
    assert opened.rstrip().endswith(b"# EOF")
    assert not plain.rstrip().endswith(b"# EOF")
