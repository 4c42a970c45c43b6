"""Ports that measure: the same answers, and every trouble by its kind."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from builders import ARMS, NOON, a_canary
from world import Outside, a_store

from adapters.paging.memory import MemoryPager
from bot.core.effects import Milestone
from bot.core.slo import Arms, NoData
from bot.observed import metered_pager, metered_services, metered_store, metered_subscriber
from bot.observed.ports import trouble_of
from bot.ports import (
    Alarm,
    Conflict,
    Declined,
    MetricHistory,
    Notice,
    PortError,
    ServiceBusy,
    ServicePorts,
    Snapshot,
)
from bot.ports.meters import NoMeters, Part, Trouble


@dataclass
class Heard(NoMeters):
    asked: list[tuple[str, str, Trouble | None]] = field(default_factory=list)

    def store_asked(self, operation: str, seconds: float, trouble: Trouble | None) -> None:
        self.asked.append(("store", operation, trouble))

    def port_asked(
        self, part: Part, service: str, seconds: float, trouble: Trouble | None
    ) -> None:
        self.asked.append((part, service, trouble))

    def delivered(self, subscriber: str, trouble: Trouble | None) -> None:
        self.asked.append(("subscriber", subscriber, trouble))


class Remembering(Outside):
    async def history(
        self, backend: str, since: datetime, until: datetime, step: timedelta
    ) -> Sequence[Snapshot]:
        return ()


class Blind(Outside):
    async def events(self, *_: object) -> NoData:
        return NoData("no log there")


@pytest.fixture
def heard() -> Heard:
    return Heard()


def ports_of(outside: Outside, heard: Heard) -> ServicePorts:
    services = {"shop": ServicePorts(outside, outside, outside, outside)}
    return metered_services(services, heard)["shop"]


async def test_every_call_of_an_adapter_is_counted_by_part_and_service(heard: Heard) -> None:
    outside = Outside()
    ports = ports_of(outside, heard)
    assert ports.logs is not None

    assert await ports.router.split() == outside.weights
    assert await ports.logs.events(ARMS, NOON, NOON) == Arms({}, {})
    assert ports.router.smallest == outside.smallest
    assert ports.router.durable
    assert heard.asked == [("router", "shop", None), ("logs", "shop", None)]


async def test_a_source_that_remembers_is_still_known_as_one(heard: Heard) -> None:
    """The engine asks by what a source has, so what measures it must have the same."""
    assert isinstance(ports_of(Remembering(), heard).metrics, MetricHistory)
    assert not isinstance(ports_of(Outside(), heard).metrics, MetricHistory)


async def test_trouble_is_passed_on_and_counted_by_its_kind(heard: Heard) -> None:
    outside = Blind(router_down=True)
    ports = ports_of(outside, heard)
    assert ports.metrics is not None
    assert ports.logs is not None

    with pytest.raises(PortError, match="does not answer"):
        await ports.router.split()
    await ports.logs.events(ARMS, NOON, NOON)

    assert heard.asked == [("router", "shop", "unreachable"), ("logs", "shop", "no_data")]


async def test_what_is_not_configured_stays_so(heard: Heard) -> None:
    services = metered_services({"shop": ServicePorts(Outside())}, heard)

    assert services["shop"].metrics is None


async def test_a_wait_in_vain_is_a_timeout_and_a_short_one_is_nothing(heard: Heard) -> None:
    """What is cut off at a deadline was silent; what is cut off at once was not waited for."""
    outside = Outside(router_hangs=True)
    router = ports_of(outside, heard).router

    for patience in (0.05, 1.0):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(patience):
                await router.shift(ARMS, outside.smallest)

    assert heard.asked == [("router", "shop", "timeout")]


def test_troubles_have_kinds() -> None:
    """An answer is no trouble; a timeout is one however deep it lies."""
    late = PortError("late")
    late.__cause__ = TimeoutError()

    assert trouble_of(late) == "timeout"
    assert trouble_of(PortError("gone")) == "unreachable"
    assert trouble_of(Declined("never")) == "declined"
    assert trouble_of(RuntimeError("bug")) == "fault"
    assert trouble_of(Conflict("moved on")) is None
    assert trouble_of(ServiceBusy("shop-1")) is None


async def test_the_store_is_measured_by_operation(heard: Heard) -> None:
    store = metered_store(a_store(), heard)

    record = await store.create(a_canary(), "one", ())
    with pytest.raises(ServiceBusy):
        await store.create(a_canary(id="shop-2"), "one", ())
    assert await store.load(record.canary.id) == record

    assert heard.asked == [
        ("store", "create", None), ("store", "create", None), ("store", "load", None),
    ]  # fmt: skip


async def test_pagers_and_subscribers_are_counted(heard: Heard) -> None:
    class Deaf:
        async def notify(self, notice: Notice) -> None:
            raise Declined("404")

    pager = MemoryPager()
    await metered_pager(pager, heard).page(Alarm("k", "shop", "v2", "shop-1", NOON, "…"))
    notice = Notice("shop-1-1", 1, Milestone.STARTED, NOON, "", a_canary())
    with pytest.raises(Declined):
        await metered_subscriber("ci", Deaf(), heard).notify(notice)

    assert list(pager.alarms) == ["k"]
    assert heard.asked == [("pager", "shop", None), ("subscriber", "ci", "declined")]
