"""Shared by all tests: Hypothesis profiles, and how deep to search."""

import gc
import os
from typing import Final

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings

LONGEST: Final = ("test_simulation.py", "test_faults.py")

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
    max_examples=100,
    deadline=None,  # a busy machine is no failure
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_finish() -> None:
    """Leave out of every collection of garbage what lives as long as the tests do."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, and spread those that keep a whole machine busy.

    Files run several at once, in this order. Left to their names the end-to-end tests would all
    run together, and what a person waits for in one would be starved by the others. None of them
    comes last: all but one process would wait for it.
    """
    files = list(dict.fromkeys(item.path for item in items))
    longest = sorted(
        (file for file in files if file.name in LONGEST), key=lambda file: LONGEST.index(file.name)
    )
    heavy = [file for file in files if file.parent.name == "e2e" and file not in longest]
    light = [file for file in files if file not in longest and file not in heavy]
    order = [*longest, *light]
    gap = max(1, len(light) * 3 // 4 // (len(heavy) + 1))
    for place, file in enumerate(heavy, start=1):
        order.insert(len(longest) + place * (gap + 1) - 1, file)
    ranks = {file: rank for rank, file in enumerate(order)}
    items.sort(key=lambda item: ranks[item.path])
