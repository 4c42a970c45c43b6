"""The words in the names of files and folders, whatever language or style they are written in.

`src/BillingService.java`, `billing_service.py` and `app/billing-services/` all hold the word
billing and the phrase "billing service"; `author.py` holds no auth, `keyboard.ts` no key.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_CHUNK: Final = re.compile(r"[^\W_]+")
_CAMEL: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\dA-Za-z_]+")
_NO_REPLY: Final = re.compile(r"(?:\d{1,20}[+-])?([^@]{1,100})@users\.noreply\.\S{1,200}")
_LONGEST: Final = 1000
"""Characters of a path that are read; the longest names that file systems take fit in."""

_ROOM: Final = 160
"""Characters that names may take in a sentence."""

HARMLESS_PHRASES: Final = (
    "privacy policy", "cookie policy", "return policy", "retry policy", "cache policy",
    "backoff policy", "restart policy", "resize policy", "referrer policy", "service worker",
    "web worker", "shared worker", "job board", "aria role",
)  # fmt: skip
"""What holds a word of a risky area, but means something else."""


def singular(word: str) -> str:
    """A word without its plural ending; small letters."""
    word = word.lower()
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=4096)
def segment_text(segment: str) -> str:
    """A file's or folder's name as words between single spaces, with one at either end.

    A name that is split at its capitals is followed by itself unsplit: "OAuth" is one word too.
    """
    stem = segment.rpartition(".")[0] if "." in segment.lstrip(".") else segment
    chunks = _CHUNK.findall(stem)
    split = [_parts(chunk) for chunk in chunks]
    words = [singular(part) for parts in split for part in parts]
    whole = [singular(chunk) for chunk, parts in zip(chunks, split, strict=True) if len(parts) > 1]
    text = " ".join(["", *words, "|", *whole, ""])
    for phrase in _harmless():
        text = text.replace(phrase, " | ")
    return text


def _parts(chunk: str) -> list[str]:
    parts: list[str] = _CAMEL.findall(chunk)
    # "OAuth" splits into O and Auth, "iPhone" into i and Phone: a single letter is no word.
    return [part for part in parts if len(part) > 1 or len(parts) == 1]


@lru_cache(maxsize=256)
def phrases(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words and phrases as they are looked for in a `segment_text`."""
    return tuple(f" {' '.join(singular(part) for part in word.split())} " for word in words)


@lru_cache(maxsize=1)
def _harmless() -> tuple[str, ...]:
    return phrases(HARMLESS_PHRASES)


def holds(path: str, words: tuple[str, ...]) -> bool:
    """Whether any folder of the path, or its file's name, holds one of these words or phrases."""
    wanted = phrases(words)
    segments = path[-_LONGEST:].split("/")
    return any(phrase in segment_text(segment) for segment in segments for phrase in wanted)


def clean(text: str, limit: int = 120) -> str:
    """Text from outside, fit to be shown: one line, no control characters, at most `limit` long."""
    head = text[: 4 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def clean_path(path: str, limit: int = 80) -> str:
    """A path, fit to be shown; of a long one the end stays."""
    line = "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in path[-4 * limit :]
    )
    return line if len(line) <= limit else f"…{line[-(limit - 1) :]}"


def login(author: str) -> str:
    """An author's login, where git knows it only as an address that the code host made of it."""
    match = _NO_REPLY.fullmatch(author)
    return match[1] if match else author


def listed(names: Iterable[str], what: str = "file", most: int = 3) -> str:
    """At most three names, fewer where they are long, and how many there are beside them."""
    found = list(dict.fromkeys(names))
    while most > 1 and sum(map(len, found[:most])) > _ROOM:
        most -= 1
    rest = len(found) - most
    if rest <= 0:
        return ", ".join(found)
    more = what if rest == 1 or what.endswith("them") else f"{what}s"
    return f"{', '.join(found[:most])} and {rest} more {more}"
