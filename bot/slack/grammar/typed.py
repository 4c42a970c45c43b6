"""From what was typed or pasted to words: links, quotes and dashes as they were meant."""

import html
import re
import shlex
import unicodedata
from collections.abc import Sequence
from typing import Final

from bot.slack.grammar.asked import Known, Misread

FEWEST: Final = 3
"""Letters below which a beginning is no hint."""

_QUOTES: Final = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02", '"')
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'")
    | dict.fromkeys("\u2010\u2011", "-")
)
_UNSEEN: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202c\u2060-\u2064\u2066-\u2069\ufe0f\ufeff]"
)
"""Marks that show nothing. U+202D and U+202E are not among them: they turn the text around, so
whatever holds one is not what it looks like."""

_LINK: Final = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_DASH: Final = re.compile(r"(?<!\S)[\u2014\u2013\u2212](?=[a-zA-Z])")
_UNITS: Final = re.compile(
    r"(?:s|m|h|d|w|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?|%)\Z"
)
_NUMBER: Final = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")


def plain_words(text: str) -> str:
    """The text as it was meant: links as their words, entities and smart marks undone."""
    return _plain(text, Known())


def words_of(text: str, known: Known) -> list[str]:
    """The words of a command; what stands in quotes is one."""
    line = _DASH.sub("--", _plain(text, known))
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.quotes, lexer.escape = '"', ""  # an apostrophe is an apostrophe
    try:
        found = list(lexer)
    except ValueError:  # a quote that is never closed
        found = line.replace('"', " ").split()
    bare = (word.strip("`") or word for word in found)
    return [word for word in bare if word]


def with_units(words: Sequence[str]) -> list[str]:
    """The same with `5 %` and `20 min` as one word each."""
    joined: list[str] = []
    for word in words:
        if joined and _NUMBER.fullmatch(joined[-1]) and _UNITS.match(word.casefold()):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def tidy(word: str) -> str:
    """A name without the comma or question mark of the sentence it stood in."""
    return word.rstrip(",;:.!?") or word


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """The one name this word is the beginning of, or the nearest by its spelling, or nothing."""
    typed = word.casefold()
    begun = [name for name in names if len(typed) >= FEWEST and name.casefold().startswith(typed)]
    if len(begun) == 1:
        return begun[0]
    near = sorted((_distance(typed, name.casefold()), name) for name in begun or names)
    if not near:
        return ""
    slips, name = near[0]
    shorter = min(len(typed), len(name))
    allowed = 0 if shorter < FEWEST else 1 if shorter < 6 else 2
    return name if slips <= allowed else ""


def unknown(what: str, word: str, names: Sequence[str]) -> Misread:
    """For a name that is not configured."""
    meant = did_you_mean(word, names)
    listed = ", ".join(names) or "none are configured"
    hint = f"Did you mean `{meant}`?" if meant else ""
    return Misread(f"There is no {what} “{short(word)}”. Known: {listed}.", hint)


def short(word: str) -> str:
    """A word from outside, to be said back."""
    return word if len(word) <= 60 else f"{word[:59]}…"


def _plain(text: str, known: Known) -> str:
    def words(link: re.Match[str]) -> str:
        return _link_words(link, known)

    meant = html.unescape(_LINK.sub(words, text)).translate(_QUOTES)
    spaced = (" " if unicodedata.category(c) in {"Zs", "Zl", "Zp"} else c for c in meant)
    return _UNSEEN.sub("", "".join(spaced)).strip()


def _link_words(link: re.Match[str], known: Known) -> str:
    mark, target, label = link.groups()
    if mark == "#":
        return f"#{label if label and known.service(label) else _channel(target, label, known)}"
    if mark == "@":
        return f"@{label or target}"
    if mark == "!":
        return f"@{(label or target.partition('^')[0]).lstrip('@')}"
    return label or target.removeprefix("mailto:")


def _channel(target: str, label: str | None, known: Known) -> str:
    """A channel whose name is no service's may still be the channel of one."""
    return known.service(f"#{target}") or label or target


def _distance(one: str, other: str) -> int:
    """Slips between two words: a letter wrong, missing, too many, or changed for its neighbour."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row, above = row, [i], before
        for j, right in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]
