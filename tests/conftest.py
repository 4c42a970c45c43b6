"""Shared by all tests: Hypothesis profiles, and how deep to search."""

import os

import structlog
from hypothesis import HealthCheck, Phase, settings

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        # Rendering a frame's variables takes a second, in which a quick test's window is over.
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

settings.register_profile("dev", max_examples=60, deadline=None)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,  # a busy machine is no failure
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
