"""Reads the configuration and makes the adapters it names."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args

import httpx
from pydantic import ValidationError

from adapters import registry
from adapters.http import new_client
from adapters.registry import BrokenAdapter, Port, Surroundings, UnknownAdapter
from bot.config import AdapterSettings, ConfigError, Problem, Secrets, Settings, load
from bot.config.loading import Lines, problems_of
from bot.ports import ChangeSource, Clock, ServicePorts, Services

PORTS: Final[tuple[Port, ...]] = get_args(Port)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked file with everything it names.

    Attributes:
        changes: where each service's changes are seen; those without a source are missing.

    """

    path: Path
    settings: Settings
    services: Services
    changes: Mapping[str, ChangeSource] = field(default_factory=dict)


def configure(
    path: Path, http: httpx.AsyncClient, clock: Clock, far: httpx.AsyncClient | None = None
) -> Configuration:
    """Read the file and make every service's adapters; nothing is contacted yet.

    Args:
        path: of the file.
        http: asks servers nearby.
        clock: the wall clock.
        far: asks servers on the internet, by the environment's proxy if there is one.

    Raises:
        ConfigError: with every problem, each with its line and the known choices.

    """
    settings, lines = load(path)
    problems: list[Problem] = []
    services: dict[str, ServicePorts] = {}
    changes: dict[str, ChangeSource] = {}
    for name, service in settings.services.items():
        made: dict[str, Any] = {}
        for port in PORTS:
            wanted: AdapterSettings | None = getattr(service, port)
            if wanted is None:
                continue
            client = far if far is not None and port == "changes" else http
            surroundings = Surroundings(name, clock, client, path.resolve().parent)
            try:
                made[port] = registry.make(port, wanted.adapter, wanted.options, surroundings)
            except (UnknownAdapter, BrokenAdapter) as error:
                where = ("services", name, port, "adapter")
                problems.append(Problem(lines.of(where), ".".join(where), str(error)))
            except ValidationError as error:
                problems += _option_problems(error, lines, name, port, wanted.adapter)
        if "traffic" in made:
            services[name] = ServicePorts(
                made["traffic"], made.get("metrics"), made.get("logs"), made.get("readiness")
            )
        if "changes" in made:
            changes[name] = made["changes"]
    if problems:
        raise ConfigError(path, problems)
    return Configuration(path, settings, services, changes)


def _option_problems(
    error: ValidationError, lines: Lines, service: str, port: Port, adapter: str
) -> list[Problem]:
    known = ("adapter", *registry.options_of(port, adapter).model_fields)
    return problems_of(error, lines, ("services", service, port), known)


def redis_url(settings: Settings, secrets: Secrets) -> str:
    """The environment's address wins, since it may hold a password."""
    hidden = secrets.canary_redis_url
    return hidden.get_secret_value() if hidden else settings.redis


@asynccontextmanager
async def http_client(*, far: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    """The one client all adapters share; `far` makes the one for servers on the internet."""
    client = new_client(far=far)
    try:
        yield client
    finally:
        await client.aclose()
