"""Whatever the core can express survives being stored."""

import json
import math
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pytest
from builders import ADA, NOON, a_canary, a_plan
from hypothesis import given
from hypothesis import strategies as st

from adapters.stores.codec import (
    FORMAT,
    Message,
    Unreadable,
    decode_canary,
    decode_freeze,
    decode_message,
    encode_canary,
    encode_freeze,
    encode_message,
)
from bot.core.canary import AwaitingDecision, Canary, Paused, PendingApproval, Phase
from bot.core.commands import Abort, Pause, Start
from bot.core.effects import Note, OpenThread, Tell, Topic
from bot.core.freezes import Freeze
from bot.core.judge import begin, look
from bot.core.plan import Escalation, Gate, Plan, Step, Weight
from bot.core.reading import Counters, Tally
from bot.core.slo import Arms, Component, Histogram, LogEvents, Readiness, Sample, Traffic
from bot.core.tuning import Tuning

WEIGHTS: Final = st.integers(1, 999).map(Weight)
SPANS: Final = st.timedeltas(min_value=timedelta(microseconds=1))
OFFSETS: Final = st.integers(-720, 720).map(lambda minutes: timezone(timedelta(minutes=minutes)))
PLAIN: Final[dict[Any, st.SearchStrategy[Any]]] = {
    str: st.text(max_size=8),
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),  # there is no NaN in the core
    datetime: st.datetimes(timezones=st.just(UTC) | OFFSETS),
    timedelta: st.timedeltas(),
    NoneType: st.none(),
    Weight: st.integers(0, 1000).map(Weight),
    Step: st.builds(Step, WEIGHTS, SPANS),
}


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type; Hypothesis' own resolver knows no generic dataclasses and likes NaN."""
    arguments = get_args(hint)
    match get_origin(hint):
        case _ if hint in PLAIN:
            return PLAIN[hint]
        case origin if origin is Literal:
            return st.sampled_from(arguments)
        case origin if origin in {Union, UnionType}:
            return st.one_of(*map(values, arguments))
        case origin if origin is dict:
            return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
        case origin if origin is tuple and arguments[-1] is Ellipsis:
            return st.lists(values(arguments[0]), max_size=2).map(tuple)
        case origin if origin is tuple:
            return st.tuples(*map(values, arguments))
        case None if issubclass(hint, Enum):
            return st.sampled_from(hint)
        case None if issubclass(hint, tuple):
            return st.builds(hint, *map(values, get_type_hints(hint).values()))
        case origin:
            return built(origin or hint, arguments[0] if arguments else None)


def built(kind: Any, argument: Any) -> st.SearchStrategy[Any]:
    """Instances of a dataclass; `argument` stands for its type variable where it has one."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    made = {
        each.name: values(argument if isinstance(hints[each.name], TypeVar) else hints[each.name])
        for each in fields(kind)
    }
    if kind is Plan:
        weights = st.lists(WEIGHTS, min_size=1, max_size=3, unique=True).map(sorted)
        made["steps"] = weights.flatmap(
            lambda some: st.tuples(*(st.builds(Step, st.just(each), SPANS) for each in some))
        )
        made["tick"] = SPANS
    if kind is Gate:
        made["needed"] = st.integers(min_value=1)
    if kind is Escalation:
        return st.builds(Escalation, SPANS, st.text(max_size=8))
    if kind is Tuning:  # most numbers are no settings that can work
        floats = st.floats(1, 9, allow_nan=False)
        return st.builds(Tuning, floor=floats, unsure=floats, stakes=st.integers(1, 99))
    if kind is Histogram:
        layouts = st.lists(PLAIN[float], max_size=2).map(tuple)
        counts = st.integers(min_value=0)
        return layouts.flatmap(
            lambda layout: st.builds(
                Histogram, st.just(layout), st.tuples(*[counts] * (len(layout) + 1))
            )
        )
    return st.builds(kind, **made)


@given(st.deferred(lambda: values(Canary)))
def test_a_canary_comes_back_equal(canary: Canary) -> None:
    """Decoding an encoded canary gives the same canary, whatever it holds."""
    assert decode_canary(encode_canary(canary)) == canary


@given(st.deferred(lambda: values(Message)))
def test_a_message_comes_back_equal(message: Message) -> None:
    """Decoding an encoded command or event gives the same one."""
    decoded = decode_message(encode_message(message))
    assert decoded == message
    assert type(decoded) is type(message)


def without(value: Any, *, inside: str = "") -> Any:
    """The same record as an older bot wrote it; words that stood elsewhere before are left there."""
    if isinstance(value, list):
        return [without(each, inside=inside) for each in value]
    if not isinstance(value, dict):
        return value
    old = {
        ("canary", "reason"), ("canary", "trouble_at"), ("canary", "trend"), ("canary", "undoes"),
        ("plan", "pause"), ("plan", "dashboards"), ("phase", "approvals"), ("note", "step"),
        ("decision", "needed"), ("decision", "author"), ("start_gate", "needed"),
        ("start_gate", "author"), ("promote_gate", "needed"), ("promote_gate", "author"),
        ("message", "reason"), ("message", "lasting"),
    }  # fmt: skip
    gone = {key for where, key in old if where == inside}
    if value.get("kind") == "paused":
        gone.add("until")
    return {key: without(each, inside=key) for key, each in value.items() if key not in gone}


@pytest.mark.parametrize(
    "phase",
    [
        PendingApproval(NOON, NOON),
        AwaitingDecision(0, "promote", NOON, NOON),
        Paused(0, ADA, NOON, timedelta(minutes=1), timedelta(0)),
    ],
)
def test_a_record_of_an_older_bot_is_read(phase: Phase) -> None:
    """What it does not have is as if nobody had said it: one approval, the author too, no trend."""
    gate = Gate(("anyone",), timedelta(minutes=1))
    note = Note(1, Topic.PROMOTED, NOON)
    canary = a_canary(
        plan=a_plan(start_gate=gate, promote_gate=gate), phase=phase, intents=(Tell(note),)
    )
    record = json.loads(encode_canary(canary))
    old = without(record)
    text = json.dumps(old)
    assert text != json.dumps(record)
    assert not any(f'"{key}"' in text for key in ("approvals", "needed", "author", "undoes"))
    assert not any(f'"{key}"' in text for key in ("trend", "trouble_at", "dashboards", "pause"))

    assert decode_canary(text.encode()) == canary


@pytest.mark.parametrize(
    "message",
    [
        Start("shop-1", "shop", "v2", a_plan(), "C0DEPLOYS", ADA, NOON),
        Pause(ADA, NOON),
    ],
)
def test_a_message_of_an_older_bot_is_read(message: Message) -> None:
    """A start without a reason, a pause without an end."""
    old = without(json.loads(encode_message(message)), inside="message")
    assert not {"reason", "lasting"} & old.keys()
    assert decode_message(json.dumps(old)) == message


@given(st.deferred(lambda: values(Freeze)))
def test_a_freeze_comes_back_equal(freeze: Freeze) -> None:
    """Decoding an encoded freeze gives the same one."""
    assert decode_freeze(encode_freeze(freeze)) == freeze


@pytest.mark.parametrize("text", ["", "{}", '{"scope": "shop"}', "[]"])
def test_what_is_no_freeze_is_refused(text: str) -> None:
    """It is never taken for none."""
    with pytest.raises(Unreadable):
        decode_freeze(text)


def test_the_judges_infinities_survive() -> None:
    """A number without a bound is still without one after a restart."""
    canary = a_canary()
    boundless = canary.judge.errors._replace(
        evidence=replace(canary.judge.errors.evidence, wealth=(-math.inf, 1.0)),
    )
    canary = replace(canary, judge=replace(canary.judge, errors=boundless))
    assert decode_canary(encode_canary(canary)).judge.errors == boundless


def test_a_judge_goes_on_from_its_stored_memory_as_if_it_had_not_been_stored() -> None:
    """Stored after every look or never, the judge ends in the same state, bit by bit."""
    kept = stored = begin(a_plan().objectives)
    for number in range(30):
        kept = look(kept, a_sample(number))
        canary = a_canary(judge=look(stored, a_sample(number)))
        stored = decode_canary(encode_canary(canary)).judge
    assert stored == kept


def test_a_canary_mid_window_takes_less_than_24_kilobytes() -> None:
    """A busy canary with ten instances, a dozen signatures and a full timeline stays small."""
    canary = a_canary(plan=a_plan(reasons=("touches a migration",)))
    for number in range(40):
        canary = replace(canary, judge=look(canary.judge, a_sample(number)))
        canary = canary.noted(NOON, f"look {number}: thin, 12 of 100 requests", ADA)
    buckets = tuple((0.005 * 2**number, 100_000 + number) for number in range(14))
    instances = {
        f"10.0.0.{number}:9090": Counters(10**6, 100, buckets, 10**6) for number in range(5)
    }
    canary = replace(canary, tally=Tally(NOON, instances, instances), intents=(OpenThread("C0"),))
    assert len(canary.judge.signatures) == 12
    assert len(encode_canary(canary)) < 24_000


def test_half_a_surrogate_pair_does_not_keep_a_canary_from_being_saved() -> None:
    """What is no Unicode is replaced, and everything beside it survives, infinities included."""
    canary = a_canary(drift="a log line with \ud83d in it")
    assert decode_canary(encode_canary(canary)) == replace(canary, drift="a log line with ? in it")
    abort = Abort(ADA, NOON, "\udc00")
    assert decode_message(encode_message(abort)) == replace(abort, reason="?")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "object"),
        (b"{}", "format: Field required"),
        (b'{"format": 2, "canary": {"shape": "new"}}', "format 2 .* run the version"),
        (
            encode_canary(a_canary()).replace(b'{"format":1', b'{"format":7'),
            "written in format 7 and this bot reads format 1",
        ),
        (
            encode_canary(a_canary()).replace(b'"observing"', b'"hovering"'),
            "unknown kind of phase 'hovering'; known: .*, observing, ",
        ),
        (
            encode_canary(a_canary(intents=(OpenThread("C0"),))).replace(
                b'"open_thread"', b'"open_door"'
            ),
            "unknown kind of intent 'open_door'; known: .*, open_thread, tell",
        ),
        (encode_canary(a_canary()).replace(b'"revision"', b'"revise"'), "canary.revision"),
        (encode_canary(a_canary()).replace(b'"permille":50', b'"permille":5000'), "500 %"),
    ],
)
def test_what_is_no_canary_is_refused_with_a_reason(text: bytes, reason: str) -> None:
    """The error says where it fails, and lists the known kinds for an unknown one."""
    with pytest.raises(Unreadable, match=f"(?s){reason}"):
        decode_canary(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid JSON"),
        ("[]", "dictionary|object"),
        ("{}", "the message names no kind; known: start, found, undo, approve"),
        (
            '{"kind": "explode"}',
            "unknown kind of message 'explode'; known: start, found, undo, approve",
        ),
        ('{"kind": "abort"}', "abort.by: Field required"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(text: str, reason: str) -> None:
    """The error says where it fails, and lists the known kinds for an unknown one."""
    with pytest.raises(Unreadable, match=reason):
        decode_message(text)


def test_a_stored_canary_names_its_format() -> None:
    """A later bot can tell an old record from its own."""
    assert encode_canary(a_canary()).startswith(b'{"format":%d,' % FORMAT)


def a_sample(number: int) -> Sample:
    """Both arms busy, with slow requests and a dozen signatures in the log."""
    latency = Histogram((0.01, 0.1, 1.0), (400 + number, 50, 5, 1))
    logs = {
        f"psycopg.errors.UndefinedColumn: column orders.c{letter} does not exist": LogEvents(
            number, "2026-03-02T12:00:01Z ERROR checkout failed: column does not exist " * 2
        )
        for letter in "abcdefghijkl"
    }
    ready = Readiness((Component("db", ready=True), Component("queue", number % 7 > 0, "down")))
    start = NOON + timedelta(seconds=10 * number)
    return Sample(
        start,
        start + timedelta(seconds=10),
        Arms(Traffic(456, 3, latency), Traffic(9000, 20, latency.plus(latency))),
        Arms(logs, {}),
        Arms(ready, Readiness((Component("db", ready=True), Component("queue", ready=True)))),
    )
