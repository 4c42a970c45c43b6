"""Which series are requests, errors and latencies: presets, and selectors of one's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from adapters.durations import duration

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


Duration = Annotated[timedelta, BeforeValidator(duration), Field(gt=timedelta(0))]
"""A time span, written as "90s", "2m", or seconds."""


class Selector(BaseModel):
    """Series of one metric.

    Attributes:
        metric: the series' name, as exposed.
        labels: what the labels must be; a value that begins with "~" is a regular expression for
            the whole value, as in `code: "~5.."`.

    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    metric: MetricName
    labels: dict[LabelName, str] = {}

    @field_validator("labels")
    @classmethod
    def _compiles(cls, labels: dict[str, str]) -> dict[str, str]:
        for label, value in labels.items():
            try:
                re.compile(value.removeprefix("~"))
            except re.error as error:
                if value.startswith("~"):
                    raise ValueError(f"{label}: {value!r} is no expression: {error}") from None
        return labels

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a series of this metric is meant."""
        return all(
            re.fullmatch(wanted[1:], labels.get(label, "")) is not None
            if wanted.startswith("~")
            else labels.get(label, "") == wanted
            for label, wanted in self.labels.items()
        )


class LatencySelector(Selector):
    """A histogram; `metric` is its name without `_bucket`, `unit` that of its bounds."""

    unit: Literal["seconds", "milliseconds"] = "seconds"

    @field_validator("metric")
    @classmethod
    def _base_name(cls, metric: str) -> str:
        return metric.removesuffix("_bucket")

    @property
    def buckets(self) -> str:
        """The name of the series that hold the buckets."""
        return f"{self.metric}_bucket"

    @property
    def scale(self) -> float:
        """Seconds in one unit of a bound."""
        return 1.0 if self.unit == "seconds" else 0.001


@dataclass(frozen=True, slots=True)
class Selection:
    """What is counted; a series that fits one of `errors` is an error."""

    requests: Selector
    errors: tuple[Selector, ...]
    latency: LatencySelector | None
    arm_label: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all series that are needed, each once, the requests first."""
        names = [self.requests.metric, *(selector.metric for selector in self.errors)]
        if self.latency is not None:
            names.append(self.latency.buckets)
        return tuple(dict.fromkeys(names))


PRESETS: Final[Mapping[str, Selection]] = {
    # Completed requests are the ones that have a response class; `upstream_rq_total` leaves out
    # those that found no connection, which are errors as well.
    "envoy": Selection(
        Selector(metric="envoy_cluster_upstream_rq_completed"),
        (
            Selector(
                metric="envoy_cluster_upstream_rq_xx", labels={"envoy_response_code_class": "5"}
            ),
        ),
        LatencySelector(metric="envoy_cluster_upstream_rq_time", unit="milliseconds"),
        arm_label="envoy_cluster_name",
    ),
    "http": Selection(
        Selector(metric="http_requests_total"),
        tuple(
            Selector(metric="http_requests_total", labels={label: "~5.."})
            for label in ("code", "status", "status_code", "http_status")
        ),
        LatencySelector(metric="http_request_duration_seconds"),
    ),
}
"""What well-known servers and libraries expose."""


class CountingOptions(BaseModel):
    """What every source of exposed counters can be told.

    Attributes:
        preset: "envoy" or "http"; what is given below is taken in its place.
        requests: all answered requests.
        errors: those that failed, one selector or several of which one must fit.
        latency: the histogram of how long requests took.
        arm_label: the label that tells the arms apart; "envoy" brings its own.
        backends: that label's value by the router's backend; left out, they are the same.
        instance_label: the label that tells an arm's instances apart.
        max_age: counters older than this are no data.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    preset: Literal["envoy", "http"] | None = None
    requests: Selector | None = None
    errors: tuple[Selector, ...] | None = None
    latency: LatencySelector | None = None
    arm_label: LabelName | None = None
    backends: dict[str, str] = {}
    instance_label: LabelName | None = None
    max_age: Duration = timedelta(seconds=60)

    @field_validator("errors", mode="before")
    @classmethod
    def _one_or_several(cls, errors: Any) -> Any:
        return (errors,) if isinstance(errors, Mapping | Selector) else errors

    @field_validator("backends")
    @classmethod
    def _one_each(cls, backends: dict[str, str]) -> dict[str, str]:
        if len(set(backends.values())) < len(backends):
            raise ValueError("two backends have the same label value; each needs its own")
        return backends

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if self.preset is None and (self.requests is None or self.errors is None):
            raise ValueError(
                "what is to be counted? give a preset (envoy, http), or `requests` and `errors`"
            )
        return self

    @property
    def selection(self) -> Selection:
        """The preset with what was given in its place."""
        if self.preset is not None:
            chosen = PRESETS[self.preset]
            return replace(
                chosen,
                requests=self.requests or chosen.requests,
                errors=chosen.errors if self.errors is None else self.errors,
                latency=self.latency or chosen.latency,
                arm_label=self.arm_label or chosen.arm_label,
            )
        assert self.requests is not None  # the validator has seen to both
        assert self.errors is not None
        return Selection(self.requests, self.errors, self.latency, self.arm_label)

    def told(self, backend: str) -> str | None:
        """The arm label's value for a backend; None when it is not among `backends`."""
        return self.backends.get(backend) if self.backends else backend
