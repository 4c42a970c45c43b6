"""What the demo service does, fault by fault, on a clock of the test's own."""

import random
import statistics

import pytest

from bot.demo.behaviour import CALM_SECONDS, Behaviour, Fault, LogLine, Order

ONSET = 3.0


def revision(fault: Fault = Fault.NONE) -> Behaviour:
    """A revision with fixed dice."""
    return Behaviour(fault, ONSET, random.Random(7))


def traffic(found: Behaviour, begin: float, seconds: float, rate: int = 50) -> list[Order]:
    """Steady requests from `begin` on."""
    return [found.order(begin + place / rate) for place in range(int(seconds * rate))]


def failed(orders: list[Order]) -> float:
    """The share of 5xx."""
    return sum(order.status >= 500 for order in orders) / len(orders)


def test_a_healthy_revision_fails_about_one_request_in_two_hundred() -> None:
    """There are always some errors, as in real life, each with a line in the log."""
    orders = traffic(revision(), 0, 400)
    assert 0.003 < failed(orders) < 0.008
    assert all(order.line for order in orders if order.status >= 500)
    assert not any(order.line for order in orders if order.status == 200)


def test_latency_has_a_median_and_a_tail() -> None:
    """The median is a few milliseconds, and the slowest hundredth takes several times that."""
    seconds = sorted(order.seconds for order in traffic(revision(), 0, 100))
    assert 0.008 < statistics.median(seconds) < 0.025
    assert 2 < seconds[int(0.99 * len(seconds))] / statistics.median(seconds) < 6


@pytest.mark.parametrize("fault", Fault)
def test_no_fault_shows_before_its_onset(fault: Fault) -> None:
    """The first seconds of traffic look healthy, so that the bot has something to see change."""
    found = revision(fault)
    orders = traffic(found, 0, ONSET - 0.1)
    now = ONSET - 0.1
    assert failed(orders) < 0.03
    assert max(order.seconds for order in orders) < 0.3
    assert found.poll(now) is None
    assert all(component.ready for component in found.components(now).values())


def test_errors_show_as_new_5xx_and_throttled_lines() -> None:
    """Many requests fail, but the log says so only now and then, as a throttled logger does."""
    found = revision(Fault.ERRORS)
    traffic(found, 0, ONSET)
    orders = traffic(found, ONSET, 40)
    lines = [o.line for o in orders if o.line and "payment refused" in o.line.message]
    assert 0.08 < failed(orders) < 0.20
    assert 7 <= len(lines) <= 9


def test_latency_shows_in_the_tail_only() -> None:
    """The median stays while p99 grows by more than half a second."""
    found = revision(Fault.LATENCY)
    before = sorted(o.seconds for o in traffic(found, 0, ONSET))
    after = sorted(o.seconds for o in traffic(found, ONSET, 40))
    assert abs(statistics.median(after) - statistics.median(before)) < 0.003
    assert after[int(0.99 * len(after))] > 0.5
    assert failed(list(traffic(found, ONSET + 40, 20))) < 0.03


def test_logs_show_in_the_background_while_requests_succeed() -> None:
    """Requests answer 200, and each round of the poller logs the database error."""
    found = revision(Fault.LOGS)
    orders = traffic(found, 0, ONSET + 10)
    line = found.poll(ONSET + 10)
    assert failed(orders) < 0.03
    assert isinstance(line, LogLine)
    assert line.level == "ERROR"
    assert "column orders.discount does not exist" in (line.exception or "")


def test_readiness_shows_in_one_component_with_its_reason() -> None:
    """The queue is down and says why; database and mount are up and requests succeed."""
    found = revision(Fault.READINESS)
    orders = traffic(found, 0, ONSET + 5)
    components = found.components(ONSET + 5)
    assert failed(orders) < 0.03
    assert [name for name, c in components.items() if not c.ready] == ["queue"]
    assert "no consumer" in components["queue"].reason


@pytest.mark.parametrize("fault", [Fault.READINESS, Fault.LOGS])
def test_a_revision_out_of_traffic_recovers_and_fails_again_later(fault: Fault) -> None:
    """After a rollback the same start can be tried again, with the same onset."""
    found = revision(fault)
    traffic(found, 0, 10)

    def shows(now: float) -> bool:
        return found.poll(now) is not None or not found.components(now)["queue"].ready

    assert shows(10)
    assert not shows(10 + CALM_SECONDS + 0.1)
    traffic(found, 60, 1)
    assert not shows(61)
    traffic(found, 61, ONSET)
    assert shows(61 + ONSET)
