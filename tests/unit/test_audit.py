"""An audit export tells who did what and why, and nothing in it can be changed unnoticed."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builders import ADA, GRACE
from hypothesis import assume, given
from hypothesis import strategies as st
from typer.testing import CliRunner
from world import Bot, Outside, a_start, a_store

from adapters.stores.audit import MemoryAuditLog
from adapters.stores.memory import MemoryStore
from bot.audit.checking import check
from bot.audit.command import Asked, moment, told_of_export, wanted
from bot.audit.export import Wanted, export
from bot.cli import app
from bot.core.commands import Abort, Approve
from bot.core.ledger import Writer, verify
from bot.core.plan import Gate
from bot.ports import Deed

ID = "shop-abc123"
DAY = timedelta(days=1)


def everything(**changes: Any) -> Wanted:
    """All of yesterday, today and tomorrow."""
    now = datetime.now(UTC)
    return Wanted(**{"since": now - DAY, "until": now + DAY, **changes})


async def lines_of(store: MemoryStore, log: MemoryAuditLog, **changes: Any) -> list[str]:
    """An export."""
    lines: list[str] = []
    await export(store, log, everything(**changes), lines.append)
    return lines


def bodies(lines: list[str]) -> list[dict[str, Any]]:
    """The lines between the first and the last."""
    return [json.loads(line) for line in lines[1:-1]]


@pytest.fixture
async def broken() -> MemoryStore:
    """The store after a canary that was approved by grace and then failed."""
    outside, store = Outside(error_rate=0.5), a_store()
    bot = Bot(outside, store, "one")
    await bot.ownership.beat()
    gate = Gate((GRACE.id,), timedelta(minutes=1))
    await bot.service.start(
        a_start(window=timedelta(seconds=5), start_gate=gate, reason="new prices")
    )
    await bot.service.command(ID, Approve(GRACE, datetime.now(UTC)))
    await bot.until(ID, lambda c: c.is_finished)
    await bot.die()
    return store


async def test_an_export_tells_who_did_what_why_and_on_which_evidence(broken: MemoryStore) -> None:
    """The start with its tier, the approval, each weight, and the breach with its numbers."""
    lines = await lines_of(broken, MemoryAuditLog())
    told = bodies(lines)
    start, approval = told[0], next(line for line in told if line["kind"] == "approve")
    breach = next(line for line in told if line.get("evidence", {}).get("phase") == "rolling_back")

    assert (start["kind"], start["who"], start["why"]) == (
        "start", {"id": ADA.id, "name": "ada"}, "new prices",
    )  # fmt: skip
    assert start["evidence"]["tier"] == "safe"
    assert start["evidence"]["start_gate"] == {"approvers": [GRACE.id], "needed": 1}
    assert approval["who"]["id"] == GRACE.id
    assert (approval["what"], approval["why"]) == ("approved the start", "")
    assert breach["who"]["id"] == "canarybot"
    assert breach["why"].startswith("errors: ")
    assert breach["evidence"]["set"] == "0 %"
    (finding, *_) = breach["evidence"]["findings"]
    assert (finding["sli"], finding["health"]) == ("errors", "breached")
    assert finding["canary"] > 0.4
    assert {"stable", "ratio", "low", "high", "limit", "chance", "odds"} <= finding.keys()
    assert [line["what"] for line in told if line["kind"] == "weight_applied"] == [
        "the router carries 5 % on the canary, read back",
        "rolled back: all traffic is on stable, read back",
    ]
    assert told[-1]["kind"] == "standing"
    assert told[-1]["phase"] == "rolled_back"


async def test_looks_are_left_out_and_counted_unless_they_are_asked_for(
    broken: MemoryStore,
) -> None:
    """With them every entry is there with its data; without them the gaps add up."""
    entries = len(await broken.happenings(ID))
    few, all_ = [bodies(await lines_of(broken, MemoryAuditLog(), looks=x)) for x in (False, True)]

    assert len(all_) == entries + 1
    assert all("data" in line for line in all_[:-1])
    assert len(few) < len(all_)
    assert sum(line["skipped"] for line in few) == entries + 1 - len(few)
    assert not any("data" in line for line in few)


@pytest.mark.parametrize("looks", [False, True])
async def test_an_export_verifies(broken: MemoryStore, looks: bool) -> None:
    """With looks, without, and of a part of the time."""
    log = MemoryAuditLog()
    for number in range(3):
        at = datetime.now(UTC) - timedelta(minutes=number)
        await log.append(Deed(at, ADA, "freeze.set", "shop", "stock-taking"))
    found = verify(await lines_of(broken, log, looks=looks))
    assert (found.flaws, found.canaries) == ((), 2)
    middle = (await broken.happenings(ID))[3].at
    assert verify(await lines_of(broken, log, looks=looks, since=middle)).flaws == ()
    assert verify(await lines_of(broken, log, looks=looks, until=middle)).flaws == ()
    assert (await check(broken, log, DAY, datetime.now(UTC))).broken == ()


async def test_deeds_and_canaries_stand_in_the_order_of_time(broken: MemoryStore) -> None:
    """A freeze before the start comes before it, one of another service is left out on demand."""
    log, now = MemoryAuditLog(), datetime.now(UTC)
    await log.append(Deed(now - timedelta(hours=1), ADA, "freeze.set", "cart"))
    await log.append(Deed(now - timedelta(hours=1), ADA, "freeze.set", "all", "fire", {"a": "b"}))
    await log.append(Deed(now + timedelta(hours=1), GRACE, "freeze.lifted", "all"))
    lines = await lines_of(broken, log, service="shop")
    told = bodies(lines)

    assert told[0]["what"] == "freeze set: all"
    assert (told[0]["who"]["id"], told[0]["why"]) == (ADA.id, "fire")
    assert told[0]["skipped"] == 1
    assert [line["kind"] for line in told[-2:]] == ["freeze.lifted", "standing"]
    assert verify(lines).flaws == ()


async def test_an_unknown_canary_or_service_is_answered_with_those_there_are(
    broken: MemoryStore,
) -> None:
    """Mistyped names get the likely one."""
    with pytest.raises(ValueError, match=f"Did you mean {ID}"):
        await lines_of(broken, MemoryAuditLog(), canary="shop-abc124")
    with pytest.raises(ValueError, match="Did you mean shop"):
        await lines_of(broken, MemoryAuditLog(), service="shpo")


async def test_an_abort_is_told_with_its_reason() -> None:
    """Whoever aborts is named, with what they said."""
    store = a_store()
    bot = Bot(Outside(), store, "one")
    await bot.ownership.beat()
    await bot.service.start(a_start(window=timedelta(minutes=1)))
    await bot.service.command(ID, Abort(GRACE, datetime.now(UTC), "prices are wrong"))
    await bot.until(ID, lambda c: c.is_finished)
    await bot.die()
    told = bodies(await lines_of(store, MemoryAuditLog()))
    abort = next(line for line in told if line["kind"] == "abort")

    assert (abort["who"]["id"], abort["why"]) == (GRACE.id, "prices are wrong")
    assert abort["who"]["groups"] == list(GRACE.groups)


@cache
def an_export() -> tuple[str, ...]:
    """A dozen lines, some with the same text."""
    writer = Writer()
    lines = [writer.head({"since": "2026-03-01T00:00:00+00:00"})]
    for number in range(10):
        told = {"kind": "abort", "who": {"id": "U1"}, "what": f"{number // 2} ü\u2028", "why": ""}
        lines.append(writer.line(told))
    return (*lines, writer.end())


LAST = len(an_export()) - 1
PLACES = st.integers(0, LAST)


def test_an_untouched_export_is_whole() -> None:
    """Otherwise nothing below would say anything."""
    found = verify(an_export())
    assert (found.flaws, found.lines) == ((), 10)


@given(PLACES)
def test_a_removed_line_is_found(place: int) -> None:
    """The first and the last included."""
    lines = [line for number, line in enumerate(an_export()) if number != place]
    assert verify(lines).flaws


@given(PLACES, PLACES)
def test_a_duplicated_line_is_found(place: int, to: int) -> None:
    """Wherever the copy stands."""
    lines = list(an_export())
    lines.insert(to, lines[place])
    assert verify(lines).flaws


@given(PLACES, PLACES)
def test_swapped_lines_are_found(one: int, two: int) -> None:
    """Neighbours or not."""
    assume(one != two)
    lines = list(an_export())
    lines[one], lines[two] = lines[two], lines[one]
    assert verify(lines).flaws


@given(PLACES, st.integers(0, LAST + 1), st.text(max_size=40) | st.none())
def test_an_inserted_line_is_found(place: int, to: int, text: str | None) -> None:
    """Any text, or a line that looks like one of ours, with a hash that is right for its place."""
    lines = list(an_export())
    if text is None:
        writer = Writer(place, json.loads(lines[place])["line_hash"])
        lines.insert(place + 1, writer.line({"kind": "approve", "who": {"id": "U2"}}))
    else:
        lines.insert(to, text)
    assert verify(lines).flaws


@given(PLACES, st.data())
def test_a_changed_line_is_found(place: int, data: st.DataObject) -> None:
    """Whichever character is changed, added or taken out."""
    lines = list(an_export())
    line = lines[place]
    at = data.draw(st.integers(0, len(line) - 1))
    new = data.draw(st.text(max_size=2))
    assume(new != line[at])
    lines[place] = line[:at] + new + line[at + 1 :]
    assert verify(lines).flaws


@given(st.integers(1, LAST))
def test_a_file_that_was_cut_off_is_found(length: int) -> None:
    """However much of it is left."""
    assert verify(an_export()[:length]).flaws


async def test_a_line_that_was_chained_anew_still_has_to_fit_its_canary(
    broken: MemoryStore,
) -> None:
    """Who makes the lines' hashes anew has to break those of the canary, or leave its deed."""
    lines = bodies(await lines_of(broken, MemoryAuditLog()))
    for change in ({"kind": "resume"}, {"at": "2026-03-01T00:00:00+00:00"}, {"entry": 7}):
        writer = Writer()
        forged = [writer.head({})]
        for number, told in enumerate(lines):
            body = {name: value for name, value in told.items() if name not in {"n", "line_hash"}}
            forged.append(writer.line({**body, **change} if number == 1 else body))
        assert verify([*forged, writer.end()]).flaws


def test_what_is_no_export_is_refused() -> None:
    """A sentence, not a list of a thousand broken lines."""
    with pytest.raises(ValueError, match="no line that `canary audit` has written"):
        verify(["Dear Sir or Madam", "{}"])


def test_the_words_name_the_line_and_what_is_wrong() -> None:
    """So that somebody can go and look."""
    lines = list(an_export())
    changed = told_of_export(
        Path("a"), verify([*lines[:3], lines[3].replace("U1", "U2"), *lines[4:]])
    )
    missing = told_of_export(Path("a"), verify([*lines[:3], *lines[5:]]))
    short = told_of_export(Path("a"), verify(lines[:-1]))

    assert changed == [
        "a is not as it was written:",
        "line 4 was changed, or the one before it was",
    ]
    assert missing[1] == "line 4 should be number 3 and is 5: 2 before it are missing"
    assert short[1] == "the last line is missing: the file was cut off"


def test_times_are_read_as_people_write_them() -> None:
    """So long ago, a date, a time; a canary is told whole unless it is said otherwise."""
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert moment("--since", "36h", now) == now - timedelta(hours=36)
    assert moment("--since", "2026-03-01", now) == datetime(2026, 3, 1, tzinfo=UTC)
    assert wanted(Asked(), now).since == now - timedelta(days=30)
    assert wanted(Asked(canary=ID), now).since.year == 1
    with pytest.raises(ValueError, match="write how long ago"):
        moment("--since", "yesterday", now)
    with pytest.raises(ValueError, match="is not before"):
        wanted(Asked(since="1d", until="2d"), now)


def test_the_command_verifies_a_file(tmp_path: Path) -> None:
    """0 where it is whole, 1 where it is not, 2 where there is nothing to verify."""
    file, runner = tmp_path / "audit.jsonl", CliRunner()

    def code(text: str | bytes) -> int:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return runner.invoke(app, ["audit", "--verify", str(file)]).exit_code

    text = "".join(f"{line}\n" for line in an_export())
    assert code(text) == 0
    assert code(text.replace("abort", "pause", 1)) == 1
    assert code(text.replace("\n", "\r\n")) == 1
    assert code(text.encode().replace("ü".encode(), b"\xff", 1)) == 1
    assert code("hello\n") == 2
    assert code("") == 2
    assert runner.invoke(app, ["audit", "--verify", str(tmp_path / "none")]).exit_code == 2
