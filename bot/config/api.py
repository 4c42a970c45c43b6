"""Where the HTTP API listens, and how much it takes."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, model_validator

from bot.config.listening import listen_address
from bot.config.tiers import Strict
from bot.config.units import Duration
from bot.ports.access import Rate

DEFAULT_API: Final = "127.0.0.1:8080"
"""Loopback: a token is as good as its way, so a proxy before it speaks TLS."""

LONGEST_WAIT: Final = timedelta(minutes=5)
"""A request that waits longer is cut by some proxy on its way."""

CONNECTIONS_PER_ADDRESS: Final = 200
"""One proxy is one address."""

_RATE: Final = re.compile(r"(\d{1,6})\s*/\s*([smh])")
_SPANS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}


def rate(value: Any) -> Rate:
    """Read `60/m`: so many requests a second, minute or hour.

    Raises:
        ValueError: it is none.

    """
    if isinstance(value, Rate):
        return value
    found = _RATE.fullmatch(str(value).strip().lower())
    if found is None or int(found[1]) < 1:
        raise ValueError(f"{value!r} is no rate; write for example 300/m, 10/s or 1000/h")
    return Rate(int(found[1]), _SPANS[found[2]])


Requests = Annotated[Rate, BeforeValidator(rate)]


class ApiSettings(Strict):
    """The section `api`; without it nothing listens.

    Attributes:
        listen: host:port.
        rate: requests of one token, at all replicas together.
        abort_rate: of aborts, which are counted apart: a rollback must not wait for anything.
        failed_rate: requests of one address that show no valid token.
        longest_wait: how long one request may wait for news.
        connections_per_address: how many connections of one address are kept open while they have
            no request under way; for one more the oldest of them is closed.

    """

    listen: str = DEFAULT_API
    rate: Requests = Rate(300, timedelta(minutes=1))
    abort_rate: Requests = Rate(600, timedelta(minutes=1))
    failed_rate: Requests = Rate(30, timedelta(minutes=1))
    longest_wait: Duration = timedelta(seconds=60)
    connections_per_address: Annotated[int, Field(ge=1, le=500)] = CONNECTIONS_PER_ADDRESS

    @model_validator(mode="after")
    def _in_reach(self) -> "ApiSettings":
        listen_address(self.listen)
        if not timedelta(seconds=1) <= self.longest_wait <= LONGEST_WAIT:
            raise ValueError("longest_wait lies between 1s and 5m")
        if self.abort_rate.count / self.abort_rate.per.total_seconds() < 1:
            raise ValueError(
                "abort_rate must leave room for an abort at any time: at least 60/m, or 1/s"
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen at."""
        return listen_address(self.listen)
