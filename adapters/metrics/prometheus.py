"""Reads counters out of Prometheus, or what speaks its query API: exactly, and only fresh ones.

`rate()` and `increase()` guess between scrapes and go on answering after the target has died. So
the raw samples are asked for, and the last one of each series is taken as it was scraped.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from adapters.http import HttpError
from adapters.metrics.counting import ArmCounters, age, both, counted, moment
from adapters.metrics.exposition import close_to
from adapters.metrics.merging import question
from adapters.metrics.promql import alternatives, matchers_of, selector
from adapters.metrics.samples import Series, at_scrape, newest, restarts
from adapters.metrics.selectors import CountingOptions, Duration, Selection, Selector
from adapters.metrics.together import together
from adapters.registry import Surroundings
from bot.core.reading import Instances, Reading
from bot.core.slo import Arms, NoData
from bot.ports import Snapshot


class PrometheusOptions(CountingOptions):
    """Where Prometheus is, and which of its series are meant.

    Attributes:
        url: its address, with its path if it has one; not that of its query API.
        token_env: the environment variable that holds a bearer token.
        headers_env: environment variables by the header they are sent as.
        arm_label: the label that tells the arms apart; "envoy" brings its own.
        instance_label: the label that tells instances apart; left out, "pod" and "instance".
        max_age: samples older than this, by Prometheus' own clock, are no data; more than the
            scrape interval.

    """

    url: str
    token_env: str | None = None
    headers_env: dict[str, str] = Field(default={})
    max_age: Duration = timedelta(seconds=90)

    @field_validator("token_env")
    @classmethod
    def _token_is_set(cls, name: str | None) -> str | None:
        if name is not None:
            _from_environment(name)
        return name

    @field_validator("headers_env")
    @classmethod
    def _headers_are_set(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers.values():
            _from_environment(name)
        return headers

    @model_validator(mode="after")
    def _tells_the_arms(self) -> Self:
        if self.selection.arm_label is None:
            raise ValueError("`arm_label` must name the label that tells the arms apart")
        return self


class PrometheusSource:
    """Counters as Prometheus last scraped them.

    A metric that is scraped twice (by two jobs, or by two replicas behind one query layer) is
    counted twice: keep one of them by a label in the selectors.
    """

    Options: ClassVar[type[BaseModel]] = PrometheusOptions

    def __init__(self, options: PrometheusOptions, surroundings: Surroundings) -> None:
        self._options = options
        self._selection = options.selection
        self._label = options.selection.arm_label or ""
        headers = {name: _from_environment(env) for name, env in options.headers_env.items()}
        if options.token_env is not None:
            headers["Authorization"] = f"Bearer {_from_environment(options.token_env)}"
        self._together = together(surroundings.http, options.url, headers)
        self._api = self._together.api

    async def read(self, arms: Arms[str]) -> Reading | NoData:
        """Ask for all series at once; too old, refused or partial is no data, and says why."""
        values: list[str] = []
        for backend in (arms.canary, arms.stable):
            value = self._options.told(backend)
            if value is None:
                known = ", ".join(self._options.backends)
                return NoData(f"{backend!r} is not among the metrics' backends; known: {known}")
            values.append(value)
        try:
            now, series = await self._ask(values)
        except HttpError as error:
            return NoData(str(error))
        canary, stable = await asyncio.gather(*(self._arm(value, series, now) for value in values))
        return both(canary, stable)

    async def history(
        self, backend: str, since: datetime, until: datetime, step: timedelta
    ) -> tuple[Snapshot, ...] | NoData:
        """See `MetricHistory.history`; counters as they were scraped, not interpolated."""
        value = self._options.told(backend)
        if value is None:
            known = ", ".join(self._options.backends)
            return NoData(f"{backend!r} is not among the metrics' backends; known: {known}")
        selectors, arm = _selectors(self._selection), {self._label: alternatives((value,))}
        window = until - since + self._options.max_age  # what was fresh at the first step
        try:
            answers = await asyncio.gather(
                *(
                    self._api.raw(name, {**matchers_of(name, selectors), **arm}, window, until)
                    for name in self._selection.names
                )
            )
        except HttpError as error:
            return NoData(str(error))
        series = [one for answer in answers for one in answer]
        # An hour of many instances takes seconds to read, and flips must not wait for it.
        return await asyncio.to_thread(self._snapshots, series, since, until, step)

    def _snapshots(
        self, series: Sequence[Series], since: datetime, until: datetime, step: timedelta
    ) -> tuple[Snapshot, ...]:
        instances: dict[str, list[Series]] = {}
        for one in series:
            instances.setdefault(self._instance(one.labels), []).append(one)
        requests, longest = self._selection.requests, self._options.max_age.total_seconds()
        begun = {name: restarts(own, requests) for name, own in instances.items()}
        found = []
        for index in range(1, (until - since) // step + 1):
            moment_ = since + index * step
            counters: Instances = {}
            for name, own in instances.items():
                at = newest(own, requests, moment_.timestamp())
                if at is None or moment_.timestamp() - at > longest:
                    continue
                told = counted(at_scrape(own, requests, at, begun[name]), self._selection)
                if not isinstance(told, NoData):
                    counters[name] = told
            if counters:
                found.append(Snapshot(moment_, counters))
        return tuple(found)

    async def _ask(self, values: Sequence[str]) -> tuple[float, list[Series]]:
        """Prometheus' clock, and every series of both arms; asked with what others ask now."""
        selectors = _selectors(self._selection)
        return await self._together.look(
            [
                question(
                    name,
                    matchers_of(name, selectors),
                    {self._label: values},
                    self._options.max_age,
                )
                for name in self._selection.names
            ]
        )

    async def _arm(self, value: str, series: Sequence[Series], now: float) -> ArmCounters | NoData:
        """Count one arm; an instance that is not scraped any more is left out."""
        instances: dict[str, list[Series]] = {}
        for one in series:
            if one.labels.get(self._label) == value:
                instances.setdefault(self._instance(one.labels), []).append(one)
        counters: Instances = {}
        times: list[float] = []
        for name, own in instances.items():
            at = newest(own, self._selection.requests)
            if at is None or now - at > self._options.max_age.total_seconds():
                continue
            told = counted(at_scrape(own, self._selection.requests, at), self._selection)
            if isinstance(told, NoData):
                return NoData(f"{name}: {told.reason}")
            counters[name] = told
            times.append(at)
        if not times:
            return NoData(await self._why_none(value, now))
        return ArmCounters(moment(max(times)), counters)

    def _instance(self, labels: Mapping[str, str]) -> str:
        chosen = self._options.instance_label
        names = (chosen,) if chosen else ("pod", "instance")
        return " ".join(labels[name] for name in names if labels.get(name)) or "all"

    async def _why_none(self, value: str, now: float) -> str:
        """Why an arm has no fresh requests: they stopped, or never were under that name."""
        requests = self._selection.requests
        wanted = {**requests.labels, self._label: alternatives((value,))}
        what = selector(requests.metric, wanted)
        try:
            seen = await self._api.last_seen(requests.metric, wanted)
            if seen is not None:
                return (
                    f"the newest sample of {what} is {age(now - seen)} old; look whether "
                    "Prometheus still scrapes it"
                )
            values = await self._api.values_of(self._label, requests.metric)
            if value in values:  # it was there for a moment only
                limit = age(self._options.max_age.total_seconds())
                return (
                    f"{what} has no sample of the last {limit}; look whether Prometheus still "
                    "scrapes it"
                )
            if values:
                return (
                    f"Prometheus has no {what}; {self._label} is there as {', '.join(values[:10])}"
                )
            close = close_to(requests.metric, await self._api.values_of("__name__"))
        except HttpError as error:
            return f"Prometheus has no fresh {what}, and why is not known: {error}"
        if requests.metric in close:
            return f"Prometheus has {requests.metric}, but without the label {self._label}"
        hint = f"; it has {', '.join(close)}" if close else ""
        return f"Prometheus has no {requests.metric}{hint}; check the preset or `requests`"


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise ValueError(f"the environment has no {name}; set it, the value is read from there")
    return value


def _selectors(selection: Selection) -> list[Selector]:
    """All selectors, the histogram's by the name its series have."""
    histogram = selection.latency
    buckets = [Selector(metric=histogram.buckets, labels=histogram.labels)] if histogram else []
    return [selection.requests, *selection.errors, *buckets]
