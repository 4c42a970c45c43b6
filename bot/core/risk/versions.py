"""How far it is from one version of a dependency to another, by semantic versioning."""

import re
from typing import Final

from bot.core.risk.rules import Step

_VERSION: Final = re.compile(r"(?<![\w.])v?(\d{1,9})(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?")
_ELSEWHERE: Final = re.compile(r"://|^git\b|^file:|^link:|^path:|^github:|\.git\b|@ ")
_CALENDAR: Final = 1990
"""From here on a first number is taken for a year, and a new year for no breaking change."""

ORDER: Final = (Step.PATCH, Step.MINOR, Step.ADDED, Step.MAJOR, Step.UNKNOWN, Step.REMOVED)
"""The one that matters least first."""

Numbers = tuple[int, int, int]


def step(before: str, after: str) -> Step:
    """How far it is; what is equal must not be asked. Unknown where either names no version.

    Of a range of versions its lowest and its highest count, whichever moves further.
    """
    if _ELSEWHERE.search(before) or _ELSEWHERE.search(after):
        return Step.UNKNOWN
    old, new = _numbers(before), _numbers(after)
    if not old or not new:
        return Step.UNKNOWN
    both = (_between(old[0], new[0]), _between(max(old), max(new)))
    return max(both, key=ORDER.index)


def _numbers(text: str) -> list[Numbers]:
    found = []
    for match in _VERSION.finditer(text[:300]):
        major, minor, patch = (
            int(part) if part and part.isdigit() else 0 for part in match.groups()
        )
        found.append((major, minor, patch))
    return found


def _between(old: Numbers, new: Numbers) -> Step:
    if min(old[0], new[0]) >= _CALENDAR:
        return Step.MINOR if old[:2] != new[:2] else Step.PATCH
    if old[0] != new[0]:
        return Step.MAJOR
    if old[1] != new[1]:
        return Step.MAJOR if old[0] == 0 else Step.MINOR
    # 0.0.x promises nothing: each may break.
    return Step.MAJOR if old[:2] == (0, 0) and old[2] != new[2] else Step.PATCH
