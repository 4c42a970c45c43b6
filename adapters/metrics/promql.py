"""Prometheus' HTTP API, as far as it is needed, and what others make of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from adapters.http import HttpError, read_json
from adapters.metrics.samples import Series
from adapters.metrics.selectors import Selector

_WHO: Final = "Prometheus"
_LONG: Final = "1h"
"""How far back an explanation looks."""
_ESCAPED: Final = {ord(sign): f"\\{sign}" for sign in r"\.+*?()|[]{}^$"}


class Api:
    """Asks one Prometheus.

    VictoriaMetrics, Thanos and Mimir answer the same questions; where they differ (422 for a bad
    question, `isPartial`, warnings of a store that is missing) both ways are understood.
    """

    def __init__(self, http: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = headers

    async def now(self) -> float:
        """Its own clock, in Unix seconds: ages are told by it, so that clocks may differ.

        Raises:
            HttpError: it cannot be asked, or answers something else.

        """
        data = await self._query("time()")
        try:
            return float(data["result"][1])
        except (KeyError, TypeError, ValueError, IndexError):
            raise _strange() from None

    async def raw(
        self,
        name: str,
        matchers: Mapping[str, str],
        window: timedelta,
        until: datetime | None = None,
        patience: float | None = None,
    ) -> list[Series]:
        """The raw samples of a metric's series in the last `window`.

        Args:
            name: the metric.
            matchers: by label, the value; "~" before it makes it an expression.
            window: how far back.
            until: where the window ends; None for now.
            patience: seconds after which it need not work on the answer any more.

        Raises:
            HttpError: it cannot be asked, refuses, or has only a part of the answer.

        """
        milliseconds = round(window.total_seconds() * 1000)
        data = await self._query(f"{selector(name, matchers)}[{milliseconds}ms]", until, patience)
        try:
            if data["resultType"] != "matrix":
                raise _strange()
            return [
                _series(name, entry["metric"], entry["values"])
                for entry in data["result"]
                if entry.get("values")  # native histograms have none
            ]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _strange() from None

    async def last_seen(self, name: str, matchers: Mapping[str, str]) -> float | None:
        """When a metric's series were last scraped, in Unix seconds, to ten seconds.

        None when that is more than an hour ago.

        Raises:
            HttpError: as in `raw`.

        """
        inner = f"max_over_time(timestamp({selector(name, matchers)})[{_LONG}:10s])"
        data = await self._query(f"max({inner})")
        try:
            result = data["result"]
            return float(result[0]["value"][1]) if result else None
        except (KeyError, TypeError, ValueError, IndexError):
            raise _strange() from None

    async def values_of(self, label: str, name: str | None = None) -> tuple[str, ...]:
        """A label's values, those of one metric or of all, in the last hour.

        Raises:
            HttpError: as in `raw`.

        """
        start = await self.now() - 3600
        params = {"start": f"{start:.0f}"} | ({"match[]": name} if name else {})
        body = await read_json(
            self._http,
            f"{self._url}/api/v1/label/{label}/values",
            what=_WHO,
            params=params,
            headers=self._headers,
        )
        data = body.get("data") if isinstance(body, dict) else None
        return tuple(str(value) for value in data) if isinstance(data, list) else ()

    async def _query(
        self, query: str, at: datetime | None = None, patience: float | None = None
    ) -> Any:
        form = {"query": query} | ({"time": f"{at.timestamp():.3f}"} if at else {})
        form |= {"timeout": f"{patience:.3f}"} if patience else {}
        try:
            body = await read_json(
                self._http,
                f"{self._url}/api/v1/query",
                what=_WHO,
                method="POST",
                form=form,
                headers=self._headers,
            )
        except HttpError as error:
            raise _refused(error) from None
        if not isinstance(body, dict) or body.get("status") != "success":
            raise _strange()
        warnings = body.get("warnings") or (["isPartial"] if body.get("isPartial") else [])
        if warnings:
            # A part of an instance's series would look like a restart, and be counted twice.
            raise HttpError(
                f"{_WHO}'s answer may be incomplete ({str(warnings[0])[:200]}); look whether all "
                "of its stores are up"
            )
        return body["data"]


def selector(name: str, matchers: Mapping[str, str]) -> str:
    """A selector in PromQL."""
    parts = [
        f"{label}=~{_quoted(value[1:])}" if value.startswith("~") else f"{label}={_quoted(value)}"
        for label, value in matchers.items()
    ]
    return f"{name}{{{','.join(parts)}}}"


def alternatives(values: Iterable[str]) -> str:
    """What a label must be to have one of these values, as `selector` takes it."""
    wanted = sorted(set(values))
    if len(wanted) == 1 and not wanted[0].startswith("~"):
        return wanted[0]
    return "~" + "|".join(map(literal, wanted))


def literal(text: str) -> str:
    """An expression in RE2's language that fits this text only.

    What needs no backslash gets none: Prometheus looks a list of plain values up in its index,
    and takes a list with such a backslash for an expression to be tried on every value.
    """
    return text.translate(_ESCAPED)


def matchers_of(name: str, selectors: Sequence[Selector]) -> Mapping[str, str]:
    """What all selectors of one metric ask for.

    What is not asked for here is sorted out afterwards; this only makes the answer smaller.
    """
    wanted = [selector.labels for selector in selectors if selector.metric == name]
    first = wanted[0] if wanted else {}
    return {
        label: value
        for label, value in first.items()
        if all(labels.get(label) == value for labels in wanted)
    }


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _series(name: str, labels: Mapping[str, str], values: Sequence[Sequence[Any]]) -> Series:
    own = {label: value for label, value in labels.items() if label != "__name__"}
    return Series(
        name,
        own,
        tuple(float(time) for time, _ in values),
        tuple(float(value) for _, value in values),
    )


def _refused(error: HttpError) -> HttpError:
    """Say in its own words why it refused: 400 there, 422 elsewhere, 503 for a timeout."""
    try:
        told = json.loads(error.body)
        kind, text = str(told["errorType"]), " ".join(str(told["error"]).split())[:300]
    except (ValueError, KeyError, TypeError):
        return error
    return HttpError(
        f"{_WHO} refused the question ({error.status} {kind}: {text}); check the selectors",
        error.status,
        error.body,
    )


def _strange() -> HttpError:
    return HttpError(
        f"{_WHO} did not answer as its API does; check that `url` is Prometheus' address"
    )
