"""The chain of what is kept: its form is fixed, and whatever is done to it by hand shows."""

import hashlib
from dataclasses import replace

import pytest

from bot.core.audit import Link, digest, following, origin, verified

NAME = "shop-k3x9ab"


def chain(length: int, first: str = "") -> tuple[tuple[Link, ...], str]:
    """So many entries, and the hash of the last one."""
    last, found = first or origin(NAME), []
    for number in range(length):
        at, kind, data = f"2026-03-02T12:00:{number:02}+00:00", "ticked", digest(str(number))
        last = following(last, at, kind, data)
        found.append(Link(at, kind, data, last))
    return tuple(found), last


def test_the_form_of_an_entry_is_as_it_is_described() -> None:
    """Anybody can compute it with SHA-256 and five lines of text; it can never be changed."""
    data = hashlib.sha256(b'{"kind":"start"}').hexdigest()
    first = hashlib.sha256(b"canarybot origin 1\nshop-k3x9ab\n").hexdigest()
    text = f"canarybot entry 1\n{first}\n2026-03-02T12:00:00+00:00\nstart\n{data}"
    wanted = hashlib.sha256(text.encode()).hexdigest()

    assert following(origin(NAME), "2026-03-02T12:00:00+00:00", "start", data) == wanted
    assert digest('{"kind":"start"}') == data


def test_a_chain_as_it_was_written_is_whole() -> None:
    """Also one without entries, and one that began before there were chains."""
    links, head = chain(5)
    assert verified(NAME, "", head, links, 9).broken == ()
    assert verified(NAME, "", origin(NAME), (), 9).broken == ()
    old = tuple(replace(link, hash="") for link in chain(3)[0])
    assert verified(NAME, "", "", old, 9).unchained == 3
    grown = verified(NAME, "", head, (*old, *links), 9)
    assert (grown.broken, grown.unchained) == ((), 3)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("change", ["at", "kind", "digest", "hash", "gone", "twice", "bare"])
def test_whatever_is_done_to_an_entry_shows(number: int, change: str) -> None:
    """Changed, taken out, written twice or robbed of its hash."""
    links, head = chain(5)
    kept, one, rest = links[:number], links[number], links[number + 1 :]
    match change:
        case "gone":
            changed = (*kept, *rest)
        case "twice":
            changed = (*kept, one, one, *rest)
        case "bare" if number == 0:
            changed = tuple(replace(link, hash="") for link in links)
        case "bare":
            changed = (*kept, replace(one, hash=""), *rest)
        case name:
            changed = (*kept, replace(one, **{name: "0" * 64}), *rest)

    assert verified(NAME, "", head, changed, 9).broken


def test_the_name_and_the_one_before_are_part_of_the_chain() -> None:
    """A stream that is given another name, or another past, does not follow."""
    links, head = chain(2)
    assert verified("shop-other1", "", head, links, 9).broken
    assert verified(NAME, "shop-before 2026-03-01T12:00:00+00:00", head, links, 9).broken


def test_a_full_stream_may_have_lost_its_beginning() -> None:
    """Where older entries make room this is a note; where there is room it is a fault."""
    links, head = chain(6)
    full = verified(NAME, "", head, links[1:], 5)
    assert (full.broken, full.trimmed) == ((), True)
    assert verified(NAME, "", head, links[1:], 6).broken


def test_a_lost_head_shows() -> None:
    """The record's chain and the stream belong together."""
    links, head = chain(3)
    assert verified(NAME, "", "", links, 9).broken
    assert verified(NAME, "", links[1].hash, links, 9).broken
    assert verified(NAME, "", head, (), 9).broken
