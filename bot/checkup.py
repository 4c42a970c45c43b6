"""`canary check`: asks everything the configuration names, live, and says what to do about it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import httpx

from adapters.clock import SystemClock
from adapters.publishing import make_subscribers
from adapters.stores.redis import RedisStore
from bot.bootstrap import Configuration, configure, http_client, redis_url
from bot.config import ConfigError, Secrets
from bot.core.change import Unseen
from bot.core.plan import FULL, Split
from bot.core.slo import Arms, NoData
from bot.ports import Clock, LogSource, MetricSource, PortError, ReadinessProbe, ServicePorts
from bot.slack.checkup import check_slack
from bot.slack.http import HEALTH, PATH

T = TypeVar("T")

DEADLINE: Final = 10.0
"""Seconds any one thing may take to answer."""


class State(StrEnum):
    """How a row of the table turned out."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was asked, how it went, and what was found or is to be done."""

    what: str
    state: State
    text: str


async def check(path: Path, secrets: Secrets, *, post: bool = False) -> tuple[Row, ...]:
    """Ask everything; `post` also sends a message to each channel and deletes it again."""
    clock = SystemClock()
    async with http_client() as http, http_client(far=True) as far:
        try:
            configuration = configure(path, http, clock, far)
        except ConfigError as error:
            problems = str(error).splitlines()
            return tuple(Row("configuration", State.FAILED, problem) for problem in problems)
        names = ", ".join(configuration.settings.service_names())
        rows = [Row("configuration", State.OK, f"{path}: {names}")]
        rows += await _redis(redis_url(configuration.settings, secrets))
        rows += await _slack(configuration, secrets, post=post)
        rows += _subscribers(configuration, far, clock)
        for name, ports in configuration.services.items():
            rows += await _service(name, ports, clock)
            rows.append(await _changes(name, ports, configuration))
        return tuple(rows)


def _subscribers(configuration: Configuration, http: httpx.AsyncClient, clock: Clock) -> list[Row]:
    """Whether everybody who is to be told can be; none of them is told anything."""
    try:
        found = make_subscribers(configuration.settings, http, clock, os.environ)
    except PortError as error:
        return [Row("published", State.FAILED, line) for line in str(error).splitlines()]
    if not found:
        return []
    return [Row("published", State.OK, f"to {', '.join(found)}; their secrets are there")]


async def _changes(name: str, ports: ServicePorts, configuration: Configuration) -> Row:
    """Whether the revision that is stable now is found where its code is."""
    what, source = f"{name} changes", configuration.changes.get(name)
    unseen = configuration.settings.policy.tiers.unknown
    if source is None:
        text = (
            "no source is configured, so a change that no pipeline sends along "
            f"is in tier {unseen} and asks a person"
        )
        return Row(what, State.NOTE, text)
    stable = await _stable_revision(ports)
    if stable is None:
        text = f"what is stable does not tell its revision, so changes are in tier {unseen}"
        return Row(what, State.NOTE, text)
    try:
        seen = await _in_time(source.compare(stable, stable, lambda _: False))
    except PortError as error:
        return Row(what, State.FAILED, str(error))
    if isinstance(seen, Unseen):
        return Row(what, State.FAILED, seen.reason)
    return Row(what, State.OK, f"{stable}, which is stable, was found")


async def _stable_revision(ports: ServicePorts) -> str | None:
    try:
        split = await _in_time(ports.router.split())
        stable = next((backend for backend, share in split.items() if share == FULL), None)
        if stable is None or ports.readiness is None:
            return None
        answer = await _in_time(ports.readiness.check(stable))
    except PortError:
        return None
    return None if isinstance(answer, NoData) else answer.revision


async def _redis(url: str) -> list[Row]:
    try:
        async with _store(url) as store:
            await _in_time(store.ping())
            found = await _in_time(store.describe())
    except PortError as error:
        return [Row("redis", State.FAILED, str(error))]
    warnings = [Row("redis", State.NOTE, warning) for warning in found.warnings]
    return [Row("redis", State.OK, found.summary), *warnings]


@asynccontextmanager
async def _store(url: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(url)
    try:
        yield store
    finally:
        await store.aclose()


async def _slack(configuration: Configuration, secrets: Secrets, *, post: bool) -> list[Row]:
    settings = configuration.settings
    missing = secrets.missing(settings.slack.mode)
    if missing:
        return [Row("slack", State.FAILED, sentence) for sentence in missing]
    channels = sorted({settings.channel_of(name) for name in settings.service_names()})
    answers = await check_slack(
        secrets.slack_bot_token.get_secret_value(),
        secrets.slack_app_token.get_secret_value() if settings.slack.mode == "socket" else None,
        secrets.slack_api_url,
        channels if post else [],
    )
    rows = [Row(f"slack {a.what}", State.OK if a.ok else State.FAILED, a.text) for a in answers]
    if settings.slack.mode == "http":
        rows.append(await _request_url(*settings.slack.address))
    if not post:
        text = f"{', '.join(channels)} not tried; --post sends a message there and deletes it"
        rows.append(Row("slack channels", State.NOTE, text))
    return rows


async def _request_url(host: str, port: int) -> Row:
    """Whether a bot listens here; only Slack's own page can tell whether Slack reaches it."""
    what, where = "slack request url", f"http://{f'[{host}]' if ':' in host else host}:{port}"
    async with http_client() as http:
        try:
            answer = await http.get(f"{where}{HEALTH}", timeout=3)
        except httpx.HTTPError:
            text = f"nobody answers at {where} yet; `canary serve` will"
            return Row(what, State.NOTE, text)
    if answer.status_code == httpx.codes.OK:
        return Row(what, State.OK, f"a bot answers at {where}{PATH}")
    text = f"something at {where} answers {answer.status_code}; is the port another's?"
    return Row(what, State.NOTE, text)


async def _service(name: str, ports: ServicePorts, clock: Clock) -> list[Row]:
    try:
        split = await _in_time(ports.router.split())
    except PortError as error:
        return [Row(f"{name} traffic", State.FAILED, str(error))]
    rows = [_split_row(name, ports, split)]
    arms = _arms(split)
    if arms is None:
        text = "the router has one backend only; a canary needs a second one"
        return [*rows, Row(f"{name} traffic", State.FAILED, text)]
    if ports.metrics is not None:
        rows.append(await _metrics(name, ports.metrics, arms))
    if ports.logs is not None:
        rows.append(await _logs(name, ports.logs, arms, clock))
    if ports.readiness is not None:
        rows += [await _ready(name, ports.readiness, backend) for backend in sorted(split)]
    return rows


def _split_row(name: str, ports: ServicePorts, split: Split) -> Row:
    shares = ", ".join(f"{backend} {share}" for backend, share in sorted(split.items()))
    kept = "kept over its restart" if ports.router.durable else "lost when it restarts"
    text = f"{shares}; steps of {ports.router.smallest}, {kept}"
    if FULL in split.values():
        return Row(f"{name} traffic", State.OK, text)
    return Row(f"{name} traffic", State.NOTE, f"{text}; split already, so no canary can start")


def _arms(split: Split) -> Arms[str] | None:
    ranked = sorted(split, key=lambda backend: (split[backend], backend))
    return Arms(canary=ranked[0], stable=ranked[-1]) if len(ranked) > 1 else None


async def _metrics(name: str, source: MetricSource, arms: Arms[str]) -> Row:
    what = f"{name} metrics"
    try:
        reading = await _in_time(source.read(arms))
    except PortError as error:
        return Row(what, State.FAILED, str(error))
    if isinstance(reading, NoData):
        return Row(what, State.FAILED, reading.reason)
    if isinstance(reading.stable, NoData):
        return Row(what, State.FAILED, f"{arms.stable}: {reading.stable.reason}")
    requests = sum(counters.requests for counters in reading.stable.values())
    timed = any(counters.buckets for counters in reading.stable.values())
    text = f"{arms.stable}: {requests} requests"
    if isinstance(reading.canary, NoData):
        return Row(what, State.NOTE, f"{text}; {arms.canary}: {reading.canary.reason}")
    if not timed:
        return Row(what, State.NOTE, f"{text}, but no latency buckets yet: p95 and p99 are blind")
    return Row(what, State.OK, f"{text}, latency in buckets")


async def _logs(name: str, source: LogSource, arms: Arms[str], clock: Clock) -> Row:
    what, now = f"{name} logs", clock.now()
    try:
        events = await _in_time(source.events(arms, now - timedelta(minutes=5), now))
    except PortError as error:
        return Row(what, State.FAILED, str(error))
    if isinstance(events, NoData):
        return Row(what, State.FAILED, events.reason)
    stable = sum(found.count for found in events.stable.values())
    return Row(what, State.OK, f"{stable} error lines from {arms.stable} in 5 minutes")


async def _ready(name: str, probe: ReadinessProbe, backend: str) -> Row:
    what = f"{name} readiness"
    try:
        answer = await _in_time(probe.check(backend))
    except PortError as error:
        return Row(what, State.FAILED, str(error))
    if isinstance(answer, NoData):
        return Row(what, State.FAILED, f"{backend}: {answer.reason}")
    revision = f" runs {answer.revision}" if answer.revision else " does not tell its revision"
    if answer.failing:
        down = "; ".join(f"{part.name}: {part.reason or 'not ready'}" for part in answer.failing)
        return Row(what, State.NOTE, f"{backend}{revision}, not ready: {down}")
    parts = ", ".join(part.name for part in answer.components) or "nothing"
    return Row(what, State.OK, f"{backend}{revision}; ready: {parts}")


async def _in_time(answer: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(DEADLINE):
            return await answer
    except TimeoutError:
        raise PortError(f"no answer within {DEADLINE:g} s; is it running and reachable?") from None
