"""Meters that fail are heard of once, and keep nothing from happening."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from builders import a_canary

from bot.observed import harmless
from bot.ports import PortError
from bot.ports.meters import NO_METERS, Ended, NoMeters


class Failing(NoMeters):
    """Fails wherever it is told to."""

    def __init__(self, where: str = "") -> None:
        self.where = where
        self.left = False

    def woke(self, late: float) -> None:
        raise OSError("disk full")

    @contextmanager
    def during(self, work: str, canary: object) -> Iterator[Ended]:
        if self.where == "enter":
            raise OSError("disk full")

        def ended(_outcome: object) -> None:
            if self.where == "told":
                raise OSError("disk full")

        try:
            yield ended
        finally:
            self.left = True
            if self.where == "exit":
                raise OSError("disk full")


def test_a_fault_is_logged_once_for_each_method() -> None:
    """A meter that fails at every wake must not fill the log either."""
    with structlog.testing.capture_logs() as logs:
        guarded = harmless(Failing("enter"))
        for _ in range(5):
            guarded.woke(1.0)
            with guarded.during("observe", a_canary()):
                pass

    assert [(line["event"], line["meter"]) for line in logs] == [
        ("meters.failed", "woke"), ("meters.failed", "during"),
    ]  # fmt: skip


@pytest.mark.parametrize("where", ["", "enter", "told", "exit"])
def test_what_is_measured_happens_whatever_the_meter_does(where: str) -> None:
    """The work's own outcome is the only one: its result, or its own fault."""
    guarded, done = harmless(Failing(where)), []
    with guarded.during("observe", a_canary()) as ended:
        ended(None)
        done.append(1)
    with (
        pytest.raises(PortError, match="the work's own"),
        guarded.during("x", a_canary()) as ended,
    ):
        raise PortError("the work's own")

    assert done == [1]


def test_what_works_is_passed_on() -> None:
    meters = Failing()
    with harmless(meters).during("observe", a_canary()):
        assert not meters.left

    assert meters.left
    with NO_METERS.during("observe", a_canary()) as ended:
        ended(None)
