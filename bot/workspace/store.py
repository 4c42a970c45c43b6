"""The workspace's memory: channels, messages, views, files and one-use keys."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol

from bot.workspace.settings import Person, Settings
from bot.workspace.wire import Json, SlackError, TsClock, new_id

SLACKBOT = "USLACKBOT"


@dataclass(slots=True)
class Message:
    """One message as it stands, and how it came to be so."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] | None = None
    thread_ts: str | None = None
    metadata: Json | None = None
    files: list[str] = field(default_factory=list)
    broadcast: bool = False
    only_for: str | None = None
    edited_at: str | None = None
    edits: int = 0
    first_text: str = ""
    reactions: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Channel:
    """A channel or a direct message, with its messages in the order of their ts."""

    id: str
    name: str
    topic: str
    members: set[str]
    im_with: str | None = None
    messages: dict[str, Message] = field(default_factory=dict)

    def replies(self, ts: str) -> list[Message]:
        """Give the replies under a message that everybody sees."""
        return [
            m
            for m in self.messages.values()
            if m.thread_ts == ts and m.ts != ts and m.only_for is None
        ]


@dataclass(slots=True)
class View:
    """A modal or a home tab of one person."""

    id: str
    user: str
    body: Json
    hash: str
    root: str
    previous: str | None = None
    values: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class File:
    """An upload, from the announced length to the processed file."""

    id: str
    name: str
    length: int
    alt_text: str = ""
    title: str = ""
    content: bytes | None = None
    mimetype: str = ""
    shares: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Trigger:
    """The right to open one modal, for a short while."""

    user: str
    expires_at: float
    view: str | None = None
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """The right to answer an interaction a few times."""

    user: str
    channel: str
    expires_at: float
    uses_left: int
    message_ts: str | None = None
    thread_ts: str | None = None
    ephemeral: bool = False


class Kept(Protocol):
    """Where changes are written down before anybody hears of them."""

    def message(self, message: Message) -> None:
        """It was posted or edited."""
        ...

    def no_message(self, message: Message) -> None:
        """It was deleted."""
        ...

    def member(self, channel: Channel, user: str) -> None:
        """Somebody joined."""
        ...

    def file(self, file: File) -> None:
        """An upload was processed."""
        ...

    def answer(self, key: str, answer: ResponseUrl) -> None:
        """An interaction may be answered, so often."""
        ...


class Store:
    """Everything a workspace knows; nothing is kept when it stops, unless `kept` is set."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = TsClock()
        self.kept: Kept | None = None
        self.people: dict[str, Person] = {p.id: p for p in settings.people}
        self.channels: dict[str, Channel] = {}
        self.stacks: dict[str, list[View]] = defaultdict(list)
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        # What external selects have offered, by place and then by value.
        self.suggested: dict[tuple[str, str, str], dict[str, Json]] = {}
        for spec in settings.channels:
            members = set(spec.members or self.people)
            if spec.has_bot:
                members.add(settings.bot_user_id)
            self.channels[spec.id] = Channel(spec.id, spec.name, spec.topic, members)

    def channel(self, wanted: str) -> Channel:
        """Find a channel by id or name, or a person's direct messages by user id."""
        if wanted in self.channels:
            return self.channels[wanted]
        if wanted in self.people:
            return self.direct(wanted)
        for channel in self.channels.values():
            if channel.im_with is None and channel.name == wanted.removeprefix("#"):
                return channel
        raise SlackError("channel_not_found")

    def direct(self, user: str) -> Channel:
        """Give the direct messages between the bot and a person, opened if need be."""
        channel_id = f"D{user[1:]}"
        if channel_id not in self.channels:
            members = {user, self.settings.bot_user_id}
            self.channels[channel_id] = Channel(channel_id, user, "", members, im_with=user)
        return self.channels[channel_id]

    def person(self, user: str) -> Person:
        """Find a person by id."""
        if user not in self.people:
            raise SlackError("user_not_found")
        return self.people[user]

    def message(self, channel: Channel, ts: str) -> Message:
        """Find a message that is still there."""
        if ts not in channel.messages:
            raise SlackError("message_not_found")
        return channel.messages[ts]

    def add(self, message: Message) -> Message:
        """Keep a new message."""
        message.first_text = message.text
        self.channels[message.channel].messages[message.ts] = message
        self.changed(message)
        return message

    def changed(self, message: Message) -> None:
        """Note that a message is not as it was."""
        if self.kept is not None:
            self.kept.message(message)

    def delete(self, message: Message) -> None:
        """Delete a message."""
        del self.channels[message.channel].messages[message.ts]
        if self.kept is not None:
            self.kept.no_message(message)

    def join(self, channel: Channel, user: str) -> None:
        """Make somebody a member of a channel."""
        channel.members.add(user)
        if self.kept is not None:
            self.kept.member(channel, user)

    def processed(self, file: File) -> None:
        """Note that an upload is as it will stay."""
        if self.kept is not None:
            self.kept.file(file)

    def use_response_url(self, key: str) -> None:
        """Take one use of the right to answer."""
        answer = self.response_urls[key]
        answer.uses_left -= 1
        if self.kept is not None:
            self.kept.answer(key, answer)

    def view(self, view_id: str) -> View | None:
        """Find an open modal or a home tab."""
        for view in (*self.homes.values(), *(v for s in self.stacks.values() for v in s)):
            if view_id in (view.id, view.body.get("external_id") or view.id):
                return view
        return None

    def offer(self, place: tuple[str, str, str], options: list[Json]) -> None:
        """Remember what an external select has offered; all of it can be chosen from then on."""
        self.suggested.setdefault(place, {}).update({one["value"]: one for one in options})

    def new_trigger(self, user: str, view: str | None = None) -> str:
        """Make a trigger id that opens one modal."""
        key = f"{time.time_ns() // 10**6}.{self.settings.team_id[-6:]}.{new_id('', 20).lower()}"
        expires_at = time.monotonic() + self.settings.trigger_seconds
        self.triggers[key] = Trigger(user, expires_at, view)
        return key

    def use_trigger(self, key: str) -> Trigger:
        """Take the one use of a trigger id."""
        trigger = self.triggers.get(key)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() > trigger.expires_at:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def new_response_url(self, answer: ResponseUrl) -> str:
        """Keep the right to answer; gives the path of its URL."""
        key = new_id("", 22)
        self.response_urls[key] = answer
        if self.kept is not None:
            self.kept.answer(key, answer)
        return f"actions/{self.settings.team_id}/{new_id('', 12)}/{key}"
