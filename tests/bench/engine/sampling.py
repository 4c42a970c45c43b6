"""Where a process spends its CPU: its stack, looked at every few milliseconds of CPU time."""

import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

EVERY: Final = 0.003
"""Seconds of CPU time between two samples."""

DEEPEST: Final = 60

Place = tuple[str, str]

WOKEN: Final[Place] = ("asyncio/events.py", "Handle._run")
"""What it called was woken by the event loop: a step of a task, or a callback."""


class Sampler:
    """Counts, by function, the samples in which it was running and in which it was on the stack."""

    def __init__(self) -> None:
        self.alone: Counter[Place] = Counter()
        self.within: Counter[Place] = Counter()
        self.roots: Counter[Place] = Counter()
        self.total = 0
        self.ours = 0
        signal.signal(signal.SIGPROF, self._sample)

    @property
    def own(self) -> float:
        """The share of the CPU time that went into the bot's own code, not into libraries."""
        return self.ours / max(1, self.total)

    def start(self) -> None:
        """Begin anew."""
        self.alone.clear()
        self.within.clear()
        self.roots.clear()
        self.total = self.ours = 0
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def write(self, path: Path) -> None:
        """Write what was seen, the costliest first, in per cent of the CPU time."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = [f"{self.total} samples"]
        kinds = {"woken": self.roots, "on the stack": self.within, "running": self.alone}
        for title, counts in kinds.items():
            lines.append(f"--- {title}")
            lines += [
                f"{100 * count / max(1, self.total):5.1f} %  {file}:{name}"
                for (file, name), count in counts.most_common(90)
            ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        self.total += 1
        seen: set[Place] = set()
        self.ours += _is_ours(frame)
        depth, last = 0, WOKEN
        while frame is not None and depth < DEEPEST:
            code = frame.f_code
            place = ("/".join(code.co_filename.split("/")[-2:]), code.co_qualname)
            if not depth:
                self.alone[place] += 1
            if place == WOKEN:
                self.roots[last] += 1
            seen.add(place)
            last = place
            frame, depth = frame.f_back, depth + 1
        self.within.update(seen)


def _is_ours(frame: FrameType | None) -> bool:
    """Whether our code was running, or what it called of the plain standard library.

    What belongs to the event loop, and to packages, is theirs; so is the bench's own part.
    """
    while frame is not None:
        path = frame.f_code.co_filename
        if "/site-packages/" in path or "/asyncio/" in path or "/bench/" in path:
            return False
        if "/bot/" in path or "/adapters/" in path:
            return True
        frame = frame.f_back
    return False
