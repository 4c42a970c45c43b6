"""Error lines counted by signature."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from bot.core.logs import redact, signature
from bot.core.slo import LogCounts, LogEvents


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One error, with nothing secret in it.

    Attributes:
        example: the line, redacted.

    """

    at: datetime
    signature: str
    example: str


def error_line(at: datetime, text: str) -> ErrorLine:
    """An error of this text, which may be a traceback of many lines."""
    name, example = _described(text)
    return ErrorLine(at, name, example)


def counted(errors: Iterable[ErrorLine]) -> LogCounts:
    """How often each signature occurs, with the first line of each."""
    counts: LogCounts = {}
    for error in errors:
        before = counts.get(error.signature, LogEvents(0, error.example))
        counts[error.signature] = LogEvents(before.count + 1, before.example)
    return counts


@lru_cache(maxsize=2048)
def _described(text: str) -> tuple[str, str]:
    """Remembered, because a fault tends to log the same line a thousand times."""
    return signature(text), redact(text)
