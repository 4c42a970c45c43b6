"""Canaries and messages as JSON, and back without loss.

The core's dataclasses are the schema, so there is no second one to keep in step. Every field is
written, defaults too: a default that changes later must not change what a stored canary was
judged by. A new field with a default may be added freely; any other change raises `FORMAT`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, get_args

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import (
    PydanticSerializationError,
    SchemaSerializer,
    from_json,
    to_json,
    to_jsonable_python,
)

from bot.core.canary import Canary, Phase
from bot.core.commands import Command, Found, Start, Undo
from bot.core.effects import Intent
from bot.core.events import Event, Observed, Prepared
from bot.core.freezes import Freeze
from bot.core.plan import Plan
from bot.ports import Happening

FORMAT: Final = 1
"""The shape of a stored canary; a bot that meets another one leaves it alone."""

Message = Start | Found | Undo | Command | Event
"""Everything a canary's stream can hold."""


class Unreadable(ValueError):  # noqa: N818 - it is a property of the text, not of the call
    """The text is no canary or message that this bot can read; says where and why."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """A canary with the number of the shape it was written in."""

    format: int
    canary: Canary


def _with_infinities(schema: Any) -> Any:
    """The schema, to be written with infinities as strings, which no setting reaches in tuples."""
    match schema:
        case dict():
            inner = {key: _with_infinities(value) for key, value in schema.items()}
            if "config" in inner:
                inner["config"] = {**inner["config"], "ser_json_inf_nan": "strings"}
            return inner
        case list() | tuple():
            return type(schema)(_with_infinities(value) for value in schema)
        case _:
            return schema


_STORED: Final = TypeAdapter(_Stored)
_WRITER: Final = SchemaSerializer(
    _with_infinities(_STORED.core_schema), {"ser_json_inf_nan": "strings"}
)
"""Writes the same as `_json` in a third of the time, since it knows the types beforehand."""

_FREEZE: Final = TypeAdapter(Freeze)

_MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(
    Annotated[Message, Field(discriminator="kind")]
)


def encode_canary(canary: Canary) -> bytes:
    """The canary as JSON, UTF-8; `decode_canary` gives back an equal one."""
    stored = _Stored(FORMAT, canary)
    try:
        return _WRITER.to_json(stored)
    except PydanticSerializationError:
        return _json(stored)


def decode_canary(text: bytes | str) -> Canary:
    """The canary in this JSON.

    Raises:
        Unreadable: not JSON, written in another format, of an unknown kind, or incomplete.

    """
    try:
        stored = _STORED.validate_json(text)
    except ValidationError as error:
        raise Unreadable(_why_no_canary(text, error)) from None
    if stored.format != FORMAT:
        raise Unreadable(_other_format(stored.format))
    return _lean(stored.canary)


def _lean(canary: Canary) -> Canary:
    """The same, without plans and objectives of its own that are equal to others'."""
    plan = _one_of_a_kind(canary.plan)
    if canary.judge.objectives != plan.objectives:
        return replace(canary, plan=plan)
    judge = replace(canary.judge, objectives=plan.objectives)
    return replace(canary, plan=plan, judge=judge)


@lru_cache(maxsize=4096)
def _one_of_a_kind(plan: Plan) -> Plan:
    return plan


def encode_message(message: Message) -> str:
    """A command or event as JSON; `decode_message` gives back an equal one."""
    return _json(message).decode()


def decode_message(text: bytes | str) -> Message:
    """The command or event in this JSON.

    Raises:
        Unreadable: not JSON, of an unknown kind, or incomplete.

    """
    try:
        return _MESSAGE.validate_json(text)
    except ValidationError as error:
        unknown = _unknown_kind("message", Message, _parsed(text))
        raise Unreadable(unknown or _first(error)) from None


def encode_freeze(freeze: Freeze) -> bytes:
    """A freeze as JSON; `decode_freeze` gives back an equal one."""
    return _json(freeze)


def decode_freeze(text: bytes | str) -> Freeze:
    """The freeze in this JSON.

    Raises:
        Unreadable: not JSON, or incomplete.

    """
    try:
        return _FREEZE.validate_json(text)
    except ValidationError as error:
        raise Unreadable(_first(error)) from None


def _json(value: object) -> bytes:
    """Infinities as strings, because JSON has no word for them."""
    try:
        return to_json(value, inf_nan_mode="strings")
    except PydanticSerializationError:
        # Half a surrogate pair, out of some log line, is no Unicode; losing that one character
        # is better than a canary that cannot be saved.
        plain = json.dumps(to_jsonable_python(value), ensure_ascii=False, separators=(",", ":"))
        return plain.encode(errors="replace")


def _why_no_canary(text: bytes | str, error: ValidationError) -> str:
    match _parsed(text):
        case {"format": int(number)} if number != FORMAT:
            return _other_format(number)
        case {"canary": {"phase": phase, "intents": list(intents)}}:
            unknown = [_unknown_kind("phase", Phase, phase)]
            unknown += [_unknown_kind("intent", Intent, intent) for intent in intents]
            return next(filter(None, unknown), _first(error))
        case _:
            return _first(error)


def _other_format(number: int) -> str:
    return (
        f"it is written in format {number} and this bot reads format {FORMAT}; "
        "run the version of the bot that wrote it"
    )


def _unknown_kind(what: str, union: Any, value: Any) -> str:
    """What to say of a value whose kind is none of the union's; empty when it is one of them."""
    known = [member.__dataclass_fields__["kind"].default for member in get_args(union)]
    match value:
        case {"kind": kind} if kind in known:
            return ""
        case {"kind": kind}:
            return f"unknown kind of {what} {kind!r}; known: {', '.join(known)}"
        case dict():
            return f"the {what} names no kind; known: {', '.join(known)}"
        case _:
            return ""


def _parsed(text: bytes | str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return None


def _first(error: ValidationError) -> str:
    """The first of pydantic's complaints, without the value, which may be long or private."""
    complaint = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in complaint["loc"])
    return f"{place}: {complaint['msg']}" if place else complaint["msg"]


def flat(happenings: tuple[Happening, ...]) -> list[str]:
    """What a script is given of happenings: at, kind, data and hash of each in a row."""
    return [
        text
        for each in happenings
        for text in (each.at.isoformat(), each.kind, each.data, each.hash)
    ]


def happening_of(fields: dict[bytes, bytes]) -> Happening:
    """A stream's entry.

    Raises:
        KeyError: it is none of ours.
        ValueError: it cannot be read.

    """
    at = datetime.fromisoformat(fields[b"at"].decode())
    told = fields[b"kind"].decode(), fields[b"data"].decode()
    return Happening(at, *told, fields.get(b"hash", b"").decode())


def observed(happenings: Iterable[Happening]) -> list[Prepared | Observed]:
    """The looks in a stream, in order, after what the judge had learnt before them.

    Raises:
        ValueError: one of them was written by another version of the bot.

    """
    found = []
    for happening in happenings:
        if happening.kind not in {"prepared", "observed"}:
            continue
        try:
            message = decode_message(happening.data)
        except Unreadable as error:
            raise ValueError(
                f"what was read at {happening.at:%H:%M:%S} cannot be read: {error}"
            ) from None
        assert isinstance(message, Prepared | Observed), "the kind says so"
        found.append(message)
    return found
