"""Scrapes counters from where they are exposed, with nothing in between."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self

import httpx
from pydantic import BaseModel, Field, model_validator

from adapters.http import HttpError, masked, read
from adapters.metrics.counting import ArmCounters, Point, age, both, counted, moment
from adapters.metrics.exposition import ACCEPT, Exposition, parse, resembling
from adapters.metrics.selectors import CountingOptions, Selection
from adapters.registry import Surroundings
from bot.core.reading import Counters, Instances, Reading
from bot.core.slo import Arms, NoData

_ENVOY_STATS = r"/stats/prometheus?filter=\.upstream_rq_(completed|[0-9]xx|time)$"


class OpenMetricsOptions(CountingOptions):
    """Where to scrape: one endpoint that tells of both arms, or each backend's own endpoints.

    Attributes:
        url: one endpoint; `arm_label` tells the arms apart. With the preset "envoy" the address of
            Envoy's admin is enough.
        urls: the endpoints of each backend; each endpoint is one instance.

    """

    url: str | None = None
    urls: dict[str, tuple[str, ...]] = Field(default={})

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (not self.urls):
            raise ValueError("give either `url`, one endpoint for both arms, or `urls` by backend")
        if self.url is not None and self.selection.arm_label is None:
            raise ValueError("with one `url`, `arm_label` must name the label that tells the arms")
        empty = [backend for backend, urls in self.urls.items() if not urls]
        if empty:
            raise ValueError(f"`urls` has no endpoint for {', '.join(empty)}; give at least one")
        return self


class OpenMetricsSource:
    """Counters as an endpoint exposes them at this moment.

    Envoy counts requests at once but merges its histograms every `stats_flush_interval` only: at
    one look latencies may lag behind requests, over looks nothing is lost.
    """

    Options: ClassVar[type[BaseModel]] = OpenMetricsOptions

    def __init__(self, options: OpenMetricsOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._selection: Selection = options.selection
        self._clock = surroundings.clock
        self._http = surroundings.http

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        """Scrape now; an endpoint that fails leaves out its instance, an arm without any is blind."""
        if self._options.url is not None:
            return await self._from_one(self._options.url, arms)
        canary, stable = await asyncio.gather(
            self._from_own(arms.canary), self._from_own(arms.stable)
        )
        return both(canary, stable)

    async def _from_one(self, url: str, arms: Arms[str]) -> Reading | NoData:
        now = self._clock.now()
        text, told = await self._scrape(_whole(url, self._options.preset))
        if isinstance(told, NoData):
            return told
        return both(
            self._arm_of(arms.canary, masked(url), text, told, now),
            self._arm_of(arms.stable, masked(url), text, told, now),
        )

    def _arm_of(
        self, backend: str, place: str, text: str, told: Exposition, now: datetime
    ) -> ArmCounters | NoData:
        value = self._options.told(backend)
        if value is None:
            known = ", ".join(self._options.backends)
            return NoData(f"{backend!r} is not among the metrics' backends; known: {known}")
        label = self._selection.arm_label or ""
        points = [point for point in told.points if point.labels.get(label) == value]
        if not _has_requests(points, self._selection):
            return NoData(self._missing(place, text, told, f'{label}="{value}"', label))
        return self._arm(place, points, now)

    async def _from_own(self, backend: str) -> ArmCounters | NoData:
        urls = self._options.urls.get(backend)
        if urls is None:
            known = ", ".join(self._options.urls)
            return NoData(f"{backend!r} is not among the metrics' urls; known: {known}")
        # Addresses that differ in what is masked only are told apart by their place in the list.
        names = [masked(url) for url in urls]
        parts = await asyncio.gather(
            *(
                self._instance(url, name if names.count(name) == 1 else f"{name} #{number}")
                for number, (url, name) in enumerate(zip(urls, names, strict=True), start=1)
            )
        )
        found = [part for part in parts if isinstance(part, ArmCounters)]
        if not found:
            return NoData("; ".join(part.reason for part in parts if isinstance(part, NoData)))
        instances = {name: c for part in found for name, c in part.instances.items()}
        return ArmCounters(max(part.at for part in found), instances)

    async def _instance(self, url: str, name: str) -> ArmCounters | NoData:
        now = self._clock.now()
        text, told = await self._scrape(url)
        if isinstance(told, NoData):
            return told
        if _has_requests(told.points, self._selection):
            return self._arm(name, told.points, now)
        if self._selection.requests.metric in told.declared:
            # A counter with labels has no series before its first request; this one is known.
            return ArmCounters(now, {name: Counters(0, 0)})
        return NoData(self._missing(name, text, told, "", ""))

    async def _scrape(self, url: str) -> tuple[str, Exposition | NoData]:
        try:
            answer = await read(
                self._http, url, what="the metrics endpoint", headers={"Accept": ACCEPT}
            )
        except HttpError as error:
            return "", NoData(str(error))
        text = answer.text
        told = await asyncio.to_thread(parse, text, answer.content_type, self._selection.names)
        if isinstance(told, NoData):
            return text, NoData(f"{masked(url)}: {told.reason}")
        return text, told

    def _arm(
        self, place: str, points: tuple[Point, ...] | list[Point], now: datetime
    ) -> ArmCounters | NoData:
        """Count one endpoint's series of one arm, by instance where a label tells them apart."""
        times = [point.at for point in points if point.at is not None]
        at = min(moment(max(times)), now) if times else now
        if now - at > self._options.max_age:
            return NoData(f"{place}: its newest sample is {age((now - at).total_seconds())} old")
        label = self._options.instance_label
        groups: dict[str, list[Point]] = {}
        for point in points:
            name = point.labels.get(label, "") if label else ""
            groups.setdefault(f"{place} {name}".strip(), []).append(point)
        instances: Instances = {}
        for name, group in groups.items():
            counters = counted(group, self._selection)
            if isinstance(counters, NoData):
                return NoData(f"{place}: {counters.reason}")
            instances[name] = counters
        return ArmCounters(at, instances)

    def _missing(self, place: str, text: str, told: Exposition, wanted: str, label: str) -> str:
        """Why there are no requests: another name, another label, or nothing at all."""
        name = self._selection.requests.metric
        seen = [point.labels for point in told.points if point.name == name]
        if seen:
            values = sorted({labels.get(label, "") for labels in seen} - {""})
            also = f"; seen: {', '.join(values[:10])}" if values else _labels_seen(seen)
            return f"{place} has {name}, but none with {wanted or 'the labels asked for'}{also}"
        close = resembling(text, name)
        hint = f"; it has {', '.join(close)}" if close else ""
        return f"{place} has no {name}{hint}; check the preset or `requests`"


def _has_requests(points: tuple[Point, ...] | list[Point], selection: Selection) -> bool:
    requests = selection.requests
    return any(p.name == requests.metric and requests.matches(p.labels) for p in points)


def _labels_seen(seen: list[Mapping[str, str]]) -> str:
    names = sorted({name for labels in seen for name in labels})
    return f"; its labels are {', '.join(names[:10])}" if names else "; it has no labels"


def _whole(url: str, preset: str | None) -> str:
    """Add the path of Envoy's statistics to the bare address of its admin."""
    try:
        bare = httpx.URL(url).path in {"", "/"} and not httpx.URL(url).query
    except httpx.InvalidURL:
        return url
    return url.rstrip("/") + _ENVOY_STATS if preset == "envoy" and bare else url
