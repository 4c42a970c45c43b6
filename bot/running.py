"""How the process runs: its event loop, and when it collects its garbage."""

import asyncio
import gc
from collections.abc import Coroutine
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeVar

COLLECT_AFTER: Final = (50_000, 10, 1_000_000)
"""Allocations after which young, younger and all objects are gone through; the last means never."""

COLLECT_EVERY: Final = timedelta(hours=1)

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, on the event loop that costs least; uvloop is not made for Windows."""
    new_loop = import_module("uvloop").new_event_loop if find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work)


async def collect() -> None:
    """Go through everything once."""
    gc.collect()


def spare_collections() -> None:
    """Keep the garbage collector from stopping everything for seconds, again and again.

    A canary is some two hundred objects, none of them in a cycle, and is freed by counting. To go
    through all of thousands of canaries takes a second or more; young objects are enough.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
