"""An audit export: lines of JSON with a hash chain of their own, and how one is verified.

Every line ends with the member `line_hash`: the SHA-256, in lower-case hexadecimal, of three lines
of UTF-8 text that are joined by single line feeds: `canarybot line 1`; the `line_hash` of the line
before it (nothing for the first); and the line itself without that member, byte for byte.

The first line says what was asked for, the last one how many lines lie between. Lines about a
canary carry their place in its own chain as well: `entry` counts that from 1, `skipped` says how
many entries between this line and the canary's line before it were left out, `previous`, `digest`
and `hash` are as `bot.core.audit` says; `trimmed` marks an entry before which older ones have made room
for newer ones, `unchained` one from before there were chains.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.core.audit import digest, following, origin

VERSION: Final = 1
LINE: Final = "canarybot line 1"
STANDING: Final = "standing"
"""The kind of the line that says up to where a canary's chain went."""

MOST: Final = 50
"""Flaws that are told; what comes after so many is no news."""

_TAIL: Final = re.compile(r',"line_hash":"([0-9a-f]{64})"\}\Z')


@dataclass(slots=True)
class Writer:
    """Chains lines.

    Attributes:
        count: how many there are so far, the first one not counted.
        last: the hash of the last one.

    """

    count: int = -1
    last: str = ""

    def head(self, asked: Mapping[str, Any]) -> str:
        """The first line."""
        return self.line({"canary_audit": VERSION, **asked})

    def line(self, told: Mapping[str, Any]) -> str:
        """One more line, without a line feed."""
        self.count += 1
        body = {"n": self.count, **told}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text = text.encode(errors="replace").decode()
        self.last = _line_hash(self.last, text)
        return f'{text[:-1]},"line_hash":"{self.last}"}}'

    def end(self) -> str:
        """The last line."""
        return self.line({"end": True, "count": self.count})


def _line_hash(last: str, text: str) -> str:
    return digest(f"{LINE}\n{last}\n{text}")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong in which line, counted from 1; 0 for the file as a whole."""

    line: int
    text: str


@dataclass(slots=True)
class _Place:
    """Up to where a canary's chain was followed."""

    entry: int = 0
    hash: str = ""


@dataclass(slots=True)
class _Reader:
    """What was read so far of an export.

    Attributes:
        ours: lines that have a hash, or had one.
        ended: whether the last line was read.

    """

    last: str = ""
    number: int = 0
    expected: int = 0
    ours: int = 0
    ended: bool = False
    flaws: list[Flaw] = field(default_factory=list)
    places: dict[str, _Place] = field(default_factory=dict)

    def flaw(self, text: str) -> None:
        if len(self.flaws) < MOST:
            self.flaws.append(Flaw(self.number, text))

    def take(self, text: str) -> None:
        self.number += 1
        self.ours += '"line_hash":"' in text
        found = _TAIL.search(text)
        told = _parsed(text) if found else None
        if found is None or told is None:
            self.flaw("is not a line of an export: it was changed or inserted")
            return
        follows = _line_hash(self.last, f"{text[: found.start()]}}}") == found[1]
        if not follows:
            self.flaw(self._why(told))
        if self.ended:
            self.flaw("comes after the end")
        if self.number == 1 and told.get("canary_audit") != VERSION:
            wrong = f"says version {told['canary_audit']}" if "canary_audit" in told else "is none"
            self.flaw(f"should be the first line of an export of version {VERSION}, and {wrong}")
        self.last = found[1]
        number = told.get("n")
        self.expected = number + 1 if isinstance(number, int) else self.expected + 1
        if told.get("end"):
            self.ended = True
            if follows and told.get("count") != self.number - 2:
                self.flaw(f"counts {told.get('count')} lines, there are {self.number - 2}")
        elif follows:  # of what was changed by hand nothing more can be said
            self._follow(told)

    def _why(self, told: Mapping[str, Any]) -> str:
        number = told.get("n")
        if not isinstance(number, int) or number == self.expected:
            return "was changed, or the one before it was"
        if number > self.expected:
            missing = number - self.expected
            return f"should be number {self.expected} and is {number}: {missing} before it are missing"
        return (
            f"should be number {self.expected} and is {number}: it is out of place, or there twice"
        )

    def _follow(self, told: Mapping[str, Any]) -> None:
        """Follow the canary's own chain, as far as it is there."""
        hash_, entry, skipped = told.get("hash"), told.get("entry"), told.get("skipped")
        name = told.get("canary") or told.get("trail")
        if not isinstance(entry, int) or not isinstance(name, str):
            return
        place = self.places.setdefault(name, _Place())
        if entry - place.entry - (told.get("kind") != STANDING) != skipped:
            self.flaw(
                f"says that {skipped} entries of {name} were left out, which does not add up"
            )
        if told.get("kind") == STANDING:
            if not skipped and place.hash and hash_ != place.hash:
                self.flaw(f"does not close the chain of {name}")
        elif hash_ and not told.get("trimmed"):
            self._link(told, place, name)
        place.entry, place.hash = entry, str(hash_ or "")

    def _link(self, told: Mapping[str, Any], place: _Place, name: str) -> None:
        previous, at = str(told.get("previous")), str(told.get("at"))
        kind, data = str(told.get("kind")), told.get("data")
        if following(previous, at, kind, str(told.get("digest"))) != told["hash"]:
            self.flaw(f"does not have the hash that it had in the chain of {name}")
        if isinstance(data, str) and digest(data) != told.get("digest"):
            self.flaw("has other data than its digest says")
        begins = told.get("entry") == 1
        if begins and previous != origin(name, str(told.get("after", ""))):
            self.flaw(f"is not where the chain of {name} begins")
        if place.hash and not told.get("skipped") and previous != place.hash:
            self.flaw(f"does not follow the entry before it in the chain of {name}")


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found in an export.

    Attributes:
        lines: how many it has between the first and the last.
        canaries: how many chains were followed.
        last: the hash of the last line: what to compare with a note of it.
        flaws: none where it is whole.

    """

    lines: int
    canaries: int
    last: str
    flaws: tuple[Flaw, ...]


def verify(lines: Iterable[str]) -> Verified:
    """Read an export, line by line and without line feeds.

    Raises:
        ValueError: it is no export at all.

    """
    reader = _Reader()
    for line in lines:
        reader.take(line)
    if not reader.ours:
        raise ValueError("it holds no line that `canary audit` has written")
    if not reader.ended:
        reader.number = 0
        reader.flaw("the last line is missing: the file was cut off")
    number = max(0, reader.ours - 2)
    return Verified(number, len(reader.places), reader.last, tuple(reader.flaws))
