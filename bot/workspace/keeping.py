"""Keeps what a workspace must not forget, as Slack does not, in a file that outlives a kill -9.

Every change is one line, written before the call that made it is answered; the last line about a
thing wins. When the workspace starts, the file is read, and replaced in one step by a short one.
"""

import base64
import json
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from bot.workspace.store import Channel, File, Message, ResponseUrl, Store
from bot.workspace.wire import Json

Thing = tuple[str, ...]
"""What a line is about: a kind, and what tells one of that kind from another."""


class Keeping:
    """A journal of messages, memberships, files and the right to answer interactions.

    What lasts for seconds only is forgotten: trigger ids, open views, and undelivered events.

    Args:
        path: the file; made when it is not there yet.

    Raises:
        ValueError: it cannot be read or written, or it is not a journal of a workspace.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._things = _read(path)
            self._file = self._begin()
        except OSError as error:
            why = error.strerror or error
            raise ValueError(f"{path} cannot keep the workspace: {why}; name another") from None

    def fill(self, store: Store) -> None:
        """Put everything kept into a new store, and keep what happens to it from now on."""
        for thing, value in self._things.items():
            _restore(store, thing, value)
        self._things = {}  # the store has it now
        store.kept = self

    def clear(self) -> None:
        """Forget everything."""
        self._file.close()
        self._things = {}
        self._file = self._begin()

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def message(self, message: Message) -> None:
        """Keep a message as it is now."""
        self._write(("message", message.channel, message.ts), asdict(message))

    def no_message(self, message: Message) -> None:
        """Keep in mind that a message was deleted."""
        self._write(("message", message.channel, message.ts), None)

    def member(self, channel: Channel, user: str) -> None:
        """Keep that somebody joined."""
        self._write(("member", channel.id, user), {})

    def file(self, file: File) -> None:
        """Keep an upload that has been processed."""
        content = base64.b64encode(file.content or b"").decode()
        self._write(("file", file.id), asdict(file) | {"content": content})

    def answer(self, key: str, answer: ResponseUrl) -> None:
        """Keep how often an interaction may still be answered."""
        self._write(("answer", key), asdict(answer))

    def _begin(self) -> IO[bytes]:
        draft = self._path.with_name(f".{self._path.name}.new")
        draft.write_bytes(b"".join(_line(thing, value) for thing, value in self._things.items()))
        draft.replace(self._path)
        # Unbuffered: what is written is the kernel's, which a killed process cannot take back.
        return self._path.open("ab", buffering=0)

    def _write(self, thing: Thing, value: Json | None) -> None:
        self._file.write(_line(thing, value))


def _line(thing: Thing, value: Json | None) -> bytes:
    return json.dumps([thing, value], separators=(",", ":")).encode() + b"\n"


def _read(path: Path) -> dict[Thing, Json]:
    """The last word about every thing; a line cut off by the end of the process was not said."""
    found: dict[Thing, Json] = {}
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return found
    for number, line in enumerate(lines[:-1], 1):
        try:
            thing, value = json.loads(line)
            key = tuple(map(str, thing))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"line {number} of {path} is no journal of a workspace ({error}); name another file, or "
                "remove this one to begin anew"
            ) from None
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def _restore(store: Store, thing: Thing, value: dict[str, Any]) -> None:
    match thing:
        case ("message", channel, ts):
            _channel(store, channel).messages[ts] = Message(**value)
            store.clock.not_before(ts)
            store.clock.not_before(value["edited_at"] or ts)
        case ("member", channel, user):
            _channel(store, channel).members.add(user)
        case ("file", name):
            content = base64.b64decode(value["content"])
            store.files[name] = File(**value | {"content": content})
        case ("answer", key):
            store.response_urls[key] = ResponseUrl(**value)
        case _:
            raise ValueError(f"the journal knows of {thing[0]!r}, and this workspace does not")


def _channel(store: Store, wanted: str) -> Channel:
    """A channel of the settings, or somebody's direct messages, opened if need be."""
    if wanted not in store.channels:
        for user in store.people:
            if wanted == f"D{user[1:]}":
                return store.direct(user)
    return store.channel(wanted)
