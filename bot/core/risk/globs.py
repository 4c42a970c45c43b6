"""Patterns as in a .gitignore as expressions that no path keeps busy for long.

Between two runs of stars each part matches as early as it can and is never tried again: where a
later match would do, the earliest does too. So time grows with the path, not with its powers.
"""

import re
from typing import Final

_FOLDERS: Final = "(?:[^/]*/)*?"
_ESCAPED: Final = re.compile(r"\\(.)|(\*+)|(\?)|(\[[!^]?\]?[^\]/]*\])|(.)", re.DOTALL)


def compiled(pattern: str) -> re.Pattern[str] | None:
    """An expression that matches at the beginning of each path that a pattern names.

    A pattern that names a folder names all that is in it.

    Returns:
        None for a pattern that names nothing.

    """
    inside = pattern.endswith("/")
    parts = pattern.strip("/").split("/") if pattern.strip("/") else []
    anchored = "/" in pattern.rstrip("/")
    if not parts:
        return None
    if not anchored:
        parts.insert(0, "**")
    if parts[-1] == "**" and any(part != "**" for part in parts):
        while parts and parts[-1] == "**":
            parts.pop()
        inside = True
    try:
        return re.compile(_joined(parts, inside=inside), re.DOTALL)
    except re.error:
        return None


def _joined(parts: list[str], *, inside: bool) -> str:
    """The expression of segments, each run of those between `**` on its own."""
    runs: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(part)
    end = "/" if inside else r"(?:/|\Z)"
    if not any(runs):
        return "[^/]*/" if inside else "."
    first, *rest = runs
    rest = [run for run in rest if run]
    told = ["".join(f"{_segment(part)}/" for part in first)]
    if not rest:
        return told[0][:-1] + end
    told += [f"(?>{_FOLDERS}{'/'.join(map(_segment, run))}/)" for run in rest[:-1]]
    told.append(f"{_FOLDERS}{'/'.join(map(_segment, rest[-1]))}{end}")
    return "".join(told)


def _segment(written: str) -> str:
    """One name: `*` and `?` stand for what is in it, and no star is tried twice."""
    runs = [""]
    for escaped, stars, one, among, plain in _ESCAPED.findall(written):
        if stars:
            runs.append("")
        elif one:
            runs[-1] += "[^/]"
        elif among:
            runs[-1] += _class(among)
        else:
            runs[-1] += re.escape(escaped or plain)
    first, *rest = runs
    if not rest:
        return first
    middle = "".join(f"(?>[^/]*?{run})" for run in rest[:-1] if run)
    return rf"(?>{first}{middle}[^/]*{rest[-1]}(?=/|\Z))"


def _class(written: str) -> str:
    inner = written[1:-1]
    negated = inner[:1] in {"!", "^"}
    body = inner[1:] if negated else inner
    kept = re.sub(r"([\[\]\\^&~|])", r"\\\1", body)
    return f"[^/{kept}]" if negated else f"(?!/)[{kept}]"
