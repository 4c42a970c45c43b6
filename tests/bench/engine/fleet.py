"""Many services and their canaries, ten minutes into their windows, put into Redis as records."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bench.engine.traffic import Trace

from adapters.stores.codec import encode_message
from adapters.stores.redis import RedisStore
from bot.config import Settings
from bot.core import judge, learning
from bot.core.canary import Canary, Observing, RollingBack, Thread
from bot.core.commands import Start
from bot.core.events import Observed
from bot.core.machine import Refused, transition
from bot.core.plan import FULL, Actor, Plan, Weight
from bot.core.reading import Counters, Instances, Reading
from bot.core.slo import Arms, Component, NoData, Readiness
from bot.ports import Happening

ADA: Final = Actor("U0ADA0001", "ada")
ARMS: Final = Arms(canary="green", stable="blue")
CHANNEL: Final = "C0DEPLOYS"
WEIGHT: Final = Weight.percent(5)
WINDOW: Final = timedelta(hours=4)
LOOKS: Final = 60
KINDS: Final = 16
"""So many services have memories of their own; the others' are copies under other names."""

MOST_BAD: Final = 40
"""Bad looks after which the judge must have made up its mind."""

AT_ONCE: Final = 64
GONE: Final = "a-replica-that-died"

Adapters = Mapping[str, Mapping[str, Any]]
"""Settings of a service's adapters by port, in place of those in memory; "{service}" is its name."""


def service_name(number: int) -> str:
    """The name of a service."""
    return f"svc-{number:05d}"


def canary_id(number: int) -> str:
    """The id of its canary."""
    return f"{service_name(number)}-aaaaaa"


def settings(
    redis: str,
    live: int,
    *,
    spare: int = 0,
    tick: timedelta = timedelta(seconds=10),
    adapters: Adapters | None = None,
) -> Settings:
    """The configuration: services with a live canary first, then those without one."""

    def service(number: int, percent: int) -> dict[str, Any]:
        given = _named(adapters or {}, service_name(number))
        return {
            "tier": "safe",
            "traffic": {"adapter": "memory", "split": {"blue": 100 - percent, "green": percent}},
            "metrics": {"adapter": "memory"},
            "logs": {"adapter": "memory"},
            "readiness": {"adapter": "memory"},
            **given,
        }

    services = {service_name(number): service(number, 5) for number in range(live)}
    services |= {service_name(live + number): service(live + number, 0) for number in range(spare)}
    return Settings.model_validate(
        {
            "redis": redis,
            "slack": {"channel": CHANNEL},
            "tick": f"{tick.total_seconds():g}s",
            "tiers": {"safe": {"percent": 5, "window": f"{WINDOW.total_seconds():g}s"}},
            "services": services,
        }
    )


def _named(settings: Any, service: str) -> Any:
    """The same settings with the service's name where they say "{service}"."""
    if isinstance(settings, Mapping):
        return {key: _named(value, service) for key, value in settings.items()}
    return settings.replace("{service}", service) if isinstance(settings, str) else settings


def due_at(began_at: datetime, number: int, live: int, tick: timedelta) -> datetime:
    """When a canary's first look is due: they are spread over the tick, as in life."""
    return began_at + tick * number / live


async def seed(
    found: Settings, live: int, began_at: datetime, *, on_the_brink: bool = False
) -> None:
    """Store the canaries as a replica that has died left them, the first look due at `began_at`.

    Those `on_the_brink` have seen so many failures that the next bad look ends them.
    """
    plan = found.plan_for(service_name(0))
    if on_the_brink:
        kinds = [brink(Trace(began_at), plan, began_at).canary]
    else:
        kinds = await asyncio.to_thread(_kinds, plan, min(live, KINDS), began_at)
    store = RedisStore(found.redis)
    turns = asyncio.Semaphore(AT_ONCE)

    async def put(number: int) -> None:
        due = due_at(began_at, number, live, plan.tick)
        canary = replace(
            kinds[number % len(kinds)],
            id=canary_id(number),
            service=service_name(number),
            next_look_at=due,
            thread=Thread(CHANNEL, f"1772452800.{number:06d}"),
        )
        async with turns:
            await store.create(canary, GONE, (_begun(canary),))

    try:
        await asyncio.gather(*(put(number) for number in range(live)))
    finally:
        await store.aclose()


def _begun(canary: Canary) -> Happening:
    start = Start(
        canary_id=canary.id,
        service=canary.service,
        revision=canary.revision,
        plan=canary.plan,
        channel=canary.channel,
        by=canary.started_by,
        at=canary.created_at,
    )
    return Happening(start.at, start.kind, encode_message(start))


def _kinds(plan: Plan, count: int, began_at: datetime) -> list[Canary]:
    trace = Trace(began_at)
    return [_watched(trace, kind, plan, began_at) for kind in range(count)]


def _watched(trace: Trace, kind: int, plan: Plan, began_at: datetime) -> Canary:
    """A canary whose judge has learnt an hour and looked at ten minutes, up to `began_at`."""
    since = began_at - plan.tick * (LOOKS + 1)
    past = [since - plan.tick * back for back in range(learning.TICKS, 0, -1)]
    stable = [(at, trace.instances(kind, ARMS.stable, at)) for at in past]
    memory, _ = learning.learnt(judge.begin(plan.objectives), stable, {})
    canary = Canary(
        id=canary_id(kind),
        service=service_name(kind),
        revision="v2",
        plan=plan,
        phase=Observing(0, since, since + WINDOW, since + WINDOW + plan.extension),
        channel=CHANNEL,
        started_by=ADA,
        created_at=since - timedelta(seconds=5),
        judge=memory,
        arms=ARMS,
        stable_revision="v1",
        asked=WEIGHT,
        last_look_at=since,
    )
    said = (f"started: {plan.tier}, {WEIGHT}", "learnt from 359 looks at stable's past")
    for text in (*said, f"holding {WEIGHT}"):
        canary = canary.noted(since, text, ADA)
    for look in range(LOOKS):
        at = since + plan.tick * (look + 1)
        canary = _after(canary, observed(trace.reading(kind, ARMS, at), at - plan.tick, at))
    return canary


def _after(canary: Canary, seen: Observed) -> Canary:
    move = transition(canary, seen)
    assert not isinstance(move, Refused), "events are never refused"
    return move.canary


@dataclass(frozen=True, slots=True)
class Brink:
    """A canary one bad look before its end: what it was last told, and what ends it."""

    canary: Canary
    readings: tuple[Reading, Reading]


def brink(trace: Trace, plan: Plan, began_at: datetime) -> Brink:
    """Show a canary failures until it would be rolled back; the last one is left to the bot."""
    canary = _watched(trace, 0, plan, began_at)
    assert canary.last_look_at is not None, "it has been watched"
    healthy = trace.reading(0, ARMS, canary.last_look_at)
    before, since = healthy, canary.last_look_at
    for bad in range(1, MOST_BAD):
        at = since + plan.tick / (2 * MOST_BAD)
        after = _failing(healthy, bad, at)
        ended = _after(canary, observed(after, since, at))
        if isinstance(ended.phase, RollingBack):
            return Brink(canary, (before, after))
        canary = ended
        before, since = after, at
    raise AssertionError("half of its requests failed, and no look was a breach")


def _failing(reading: Reading, times: int, at: datetime) -> Reading:
    """The same, and so often a few more requests, half of them failing on the canary alone."""

    def more(instances: Instances, requests: int, errors: int) -> Instances:
        name = min(instances)
        counters = instances[name]
        buckets = tuple((bound, count + times * requests) for bound, count in counters.buckets)
        worse = Counters(
            counters.requests + times * requests,
            counters.errors + times * errors,
            buckets,
            counters.timed + times * requests,
        )
        return instances | {name: worse}

    assert not isinstance(reading.canary, NoData)
    assert not isinstance(reading.stable, NoData)
    return Reading(at, more(reading.canary, 40, 20), more(reading.stable, 760, 4))


def observed(reading: Reading, since: datetime, at: datetime) -> Observed:
    """A look at these counters, with nothing else to see."""
    ready = Readiness((Component("service", ready=True),))
    split = {ARMS.canary: WEIGHT, ARMS.stable: Weight(FULL.permille - WEIGHT.permille)}
    return Observed(at, since, reading, Arms({}, {}), Arms(ready, ready), split)
