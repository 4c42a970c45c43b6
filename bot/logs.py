"""How the bot's own log looks: JSON lines for machines, colours for a person at a terminal."""

import logging
import sys
from typing import Any

import structlog


def set_up_logging() -> None:
    """Write structured lines to standard error, and of libraries what they warn of."""
    # Its jobs report their own faults; what the scheduler adds is a traceback of every shutdown.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        plain = structlog.dev.plain_traceback
        processors.append(structlog.dev.ConsoleRenderer(exception_formatter=plain))
    else:
        # Without locals: a frame's variables hold tokens and people's words.
        frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        processors += [
            structlog.processors.ExceptionRenderer(frames),
            structlog.processors.JSONRenderer(),
        ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
