"""Names of revisions: which can be one in git at all, and which are close to one that is not known.

What passes here holds nothing that git or an address would read as something else: no option, no
range, no expression, no step to another folder.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Final

from adapters.changes.blind import Blind

LONGEST: Final = 200
"""Characters of a name."""

_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0~^:?*\[\\\u2028\u2029\ud800-\udfff]")
_FULL: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def checked(name: str) -> str:
    """The name, where git can have a tag, branch or commit of that name.

    Raises:
        Blind: it cannot.

    """
    why = _why_not(name)
    if why:
        raise Blind(
            f"{shown(name)} cannot be the name of a revision in git: {why}; start the canary with "
            "a tag, branch or commit, or set `ref` to how revisions are named there"
        )
    return name


def is_full(name: str) -> bool:
    """Whether this is a whole commit id, which always means the same."""
    return _FULL.fullmatch(name) is not None


def shown(text: str) -> str:
    """A name from outside as it may stand in a sentence: quoted, on one line, not too long."""
    return ascii(text) if len(text) <= 80 else f"{text[:80]!a}…"


def near(name: str, known: Sequence[str]) -> str:
    """A clause that names what looks like `name`; empty when nothing does."""
    bare = name.removeprefix("v")
    same = [one for one in known if bare and one.rsplit("/", 1)[-1].removeprefix("v") == bare]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    found = list(dict.fromkeys(same[:3] + close))[:3]
    return f"; it has {', '.join(map(shown, found))}" if found else ""


def _why_not(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if found := _FORBIDDEN.search(name):
        return f"it holds {found[0]!a}"
    if name.startswith("-"):
        return "it begins like an option"
    if ".." in name or "@{" in name or name == "@":
        return "that means something else there"
    parts = name.split("/")
    if any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts):
        return "a part of it is empty, begins with a dot, or ends with a dot or .lock"
    return ""
