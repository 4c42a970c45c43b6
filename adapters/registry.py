"""Finds an adapter by its port and name: built in, or offered by an installed package.

An adapter is a class with `Options`, a pydantic model of what may be configured, and an
`__init__(options, surroundings)`. A package offers one by an entry point in the group
`canarybot.<port>`; nothing is imported before it is asked for by name.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol, get_args, overload

import httpx
from pydantic import BaseModel

from bot.ports import ChangeSource, Clock, LogSource, MetricSource, ReadinessProbe, TrafficRouter

Port = Literal["traffic", "metrics", "logs", "readiness", "changes"]
AnyAdapter = TrafficRouter | MetricSource | LogSource | ReadinessProbe | ChangeSource

BUILT_IN: Final[Mapping[Port, Mapping[str, str]]] = {
    "traffic": {
        "envoy": "adapters.traffic.envoy:EnvoyRouter",
        "memory": "adapters.traffic.memory:MemoryRouter",
    },
    "metrics": {
        "memory": "adapters.metrics.memory:MemoryMetrics",
        "openmetrics": "adapters.metrics.openmetrics:OpenMetricsSource",
        "prometheus": "adapters.metrics.prometheus:PrometheusSource",
    },
    "logs": {
        "file": "adapters.logs.file:FileLogs",
        "memory": "adapters.logs.memory:MemoryLogs",
    },
    "readiness": {
        "http": "adapters.readiness.http:HttpProbe",
        "memory": "adapters.readiness.memory:MemoryProbe",
    },
    "changes": {
        "git": "adapters.changes.git:GitChanges",
        "github": "adapters.changes.github:GitHubChanges",
        "gitlab": "adapters.changes.gitlab:GitLabChanges",
        "memory": "adapters.changes.memory:MemoryChanges",
    },
}
"""What ships with the bot; these names work even where the package's metadata is stale."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every adapter is given beside its own options.

    Attributes:
        service: the service it serves.
        clock: the wall clock.
        http: the one shared client; it is closed by whoever made it.
        folder: the folder of the configuration file; relative paths in options start here.

    """

    service: str
    clock: Clock
    http: httpx.AsyncClient
    folder: Path


class Adapter(Protocol):
    """The shape every adapter class has."""

    Options: ClassVar[type[BaseModel]]

    def __init__(self, options: Any, surroundings: Surroundings) -> None:
        """Make it of validated options; no I/O happens here."""
        ...


class UnknownAdapter(LookupError):  # noqa: N818 - the name says what is wrong
    """No adapter of that port has that name; the text lists those that have one."""


class BrokenAdapter(Exception):  # noqa: N818 - as above
    """An installed package offers this adapter, but it cannot be loaded; the text says why."""


def known(port: Port) -> tuple[str, ...]:
    """The names of all adapters of a port, sorted, those that would fail to load included."""
    return tuple(sorted(_offers(port)))


def options_of(port: Port, name: str) -> type[BaseModel]:
    """The pydantic model of an adapter's options.

    Raises:
        UnknownAdapter: the port has no adapter of that name.
        BrokenAdapter: there is one, but it cannot be loaded.

    """
    return _load(port, name).Options


@overload
def make(
    port: Literal["traffic"],
    name: str,
    options: Mapping[str, object],
    surroundings: Surroundings,
) -> TrafficRouter: ...
@overload
def make(
    port: Literal["metrics"],
    name: str,
    options: Mapping[str, object],
    surroundings: Surroundings,
) -> MetricSource: ...
@overload
def make(
    port: Literal["logs"], name: str, options: Mapping[str, object], surroundings: Surroundings
) -> LogSource: ...
@overload
def make(
    port: Literal["readiness"],
    name: str,
    options: Mapping[str, object],
    surroundings: Surroundings,
) -> ReadinessProbe: ...
@overload
def make(
    port: Literal["changes"], name: str, options: Mapping[str, object], surroundings: Surroundings
) -> ChangeSource: ...
def make(
    port: Port, name: str, options: Mapping[str, object], surroundings: Surroundings
) -> AnyAdapter:
    """Validate the options and make the adapter.

    Raises:
        UnknownAdapter: the port has no adapter of that name.
        BrokenAdapter: there is one, but it cannot be loaded.
        pydantic.ValidationError: the options are not the adapter's.

    """
    adapter = _load(port, name)
    validated = adapter.Options.model_validate(dict(options))
    # Which protocol an adapter class fulfils is known by the port it was offered for only.
    made: Any = adapter(validated, surroundings)
    return made  # type: ignore[no-any-return]  # as said above


def _offers(port: Port) -> dict[str, tuple[EntryPoint, ...]]:
    """Everything on offer by name; a built-in name cannot be taken over by another package."""
    if port not in get_args(Port):
        raise UnknownAdapter(f"unknown port {port!r}; known: {', '.join(get_args(Port))}")
    group = f"canarybot.{port}"
    offers: dict[str, tuple[EntryPoint, ...]] = {
        name: (EntryPoint(name=name, value=value, group=group),)
        for name, value in BUILT_IN[port].items()
    }
    for point in _installed(group):
        before = offers.get(point.name, ())
        if point.name not in BUILT_IN[port] and point.value not in {p.value for p in before}:
            offers[point.name] = (*before, point)
    return offers


@cache
def _installed(group: str) -> tuple[EntryPoint, ...]:
    """What installed packages offer; looking through them all takes milliseconds."""
    return tuple(entry_points(group=group))


def _load(port: Port, name: str) -> type[Adapter]:
    offers = _offers(port)
    if name not in offers:
        raise UnknownAdapter(_unknown(port, name, tuple(sorted(offers))))
    if len(offers[name]) > 1:
        values = " and ".join(point.value for point in offers[name])
        raise BrokenAdapter(
            f"the {port} adapter {name!r} is offered twice, by {values}; uninstall one of them"
        )
    point = offers[name][0]
    try:
        adapter = import_module(point.module)
        for attribute in point.attr.split("."):
            adapter = getattr(adapter, attribute)
    except Exception as error:  # another package's import may fail in any way
        raise BrokenAdapter(
            f"the {port} adapter {name!r} ({point.value}) cannot be loaded: "
            f"{type(error).__name__}: {error}; reinstall the package that offers it"
        ) from error
    return _checked(port, name, point.value, adapter)


def _checked(port: Port, name: str, value: str, adapter: object) -> type[Adapter]:
    options = getattr(adapter, "Options", None)
    if (
        not isinstance(adapter, type)
        or not isinstance(options, type)
        or not issubclass(options, BaseModel)
    ):
        raise BrokenAdapter(
            f"the {port} adapter {name!r} ({value}) is not an adapter: it must be a class with a "
            "pydantic model named Options; ask the package that offers it"
        )
    return adapter


def _unknown(port: Port, name: str, names: tuple[str, ...]) -> str:
    text = f"unknown {port} adapter {name!r}; known: {', '.join(names)}"
    close = difflib.get_close_matches(name.lower(), names, n=1)
    return f"{text}; did you mean {close[0]!r}?" if close else text
