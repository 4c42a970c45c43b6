"""The hash chain under everything that is kept of a canary, so that a changed line shows.

Each entry's hash is the SHA-256, in lower-case hexadecimal, of five lines of UTF-8 text that are
joined by single line feeds, with none at the end:

1. `canarybot entry 1`;
2. the hash of the entry before it; of the first entry that of its `origin`;
3. when it happened, in ISO 8601 as it is stored;
4. its kind;
5. the SHA-256 of its data, as it is stored.

The data counts by its digest, so that whoever has only the digest can follow the chain as well. No
key is involved: who can write to the store can make the whole chain anew. That shows only beside
an export that was kept elsewhere.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile
from typing import Final

ENTRY: Final = "canarybot entry 1"
ORIGIN: Final = "canarybot origin 1"


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a chain as it is stored.

    Attributes:
        at: in ISO 8601.
        digest: of its data.
        hash: empty of an entry from before there was a chain.

    """

    at: str
    kind: str
    digest: str
    hash: str


def digest(data: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(data.encode(errors="surrogatepass")).hexdigest()


def origin(name: str, previous: str = "") -> str:
    """What the first entry of a chain follows.

    Args:
        name: what the chain is of, a canary's id.
        previous: what came before it, as `before` says.

    """
    return digest(f"{ORIGIN}\n{name}\n{previous}")


def before(canary_id: str, created_at: datetime) -> str:
    """How a canary names the one before it: by its id and when it was created."""
    return f"{canary_id} {created_at.isoformat()}"


def following(previous: str, at: str, kind: str, data_digest: str) -> str:
    """The hash of an entry that follows the one with the hash `previous`."""
    return digest(f"{ENTRY}\n{previous}\n{at}\n{kind}\n{data_digest}")


@dataclass(frozen=True, slots=True)
class Chain:
    """What is wrong with a chain.

    Attributes:
        broken: by the entry's number, from 1: in plain words.
        unchained: how many entries at its beginning are from before there was a chain.
        trimmed: whether its oldest entries have made room for newer ones.

    """

    broken: tuple[tuple[int, str], ...] = ()
    unchained: int = 0
    trimmed: bool = False


def verified(name: str, previous: str, head: str, links: Iterable[Link], length: int) -> Chain:
    """Follow a chain from its origin to its head.

    Args:
        name, previous: as of `origin`.
        head: the hash that the last entry must have; empty where there never was a chain.
        links: oldest first.
        length: with so many entries the oldest make room for newer ones.

    """
    kept = tuple(links)
    chained = tuple(dropwhile(lambda link: not link.hash, kept))
    unchained = len(kept) - len(chained)
    last, broken, trimmed = origin(name, previous), [], False
    if unchained and previous:  # who names the one before it was chained from its first entry on
        broken.append((1, f"the first {unchained} have lost their hashes"))
    for number, link in enumerate(chained, unchained + 1):
        if not link.hash:
            broken.append((number, "has no hash: it was written by hand, or by an older bot"))
            continue
        if link.hash != following(last, link.at, link.kind, link.digest):
            if number == 1 and len(kept) >= length:
                trimmed = True
            else:
                why = "was changed, or is not where it was written, or one before it is missing"
                broken.append((number, why))
        last = link.hash
    if head and (chained or not kept) and last != head:
        broken.append((len(kept), "is not the last that was written: what followed is missing"))
    elif head and kept and not chained:
        broken.append((len(kept), "and all others have lost their hashes"))
    elif not head and chained:
        broken.append((len(kept), "is chained, and the record has lost the chain's head"))
    return Chain(tuple(broken), unchained, trimmed)
