"""What people do outside of modals: they write, send commands, click and open the home tab."""

import asyncio
from dataclasses import dataclass

from bot.workspace import escape, payloads, picking
from bot.workspace.blocks import interactive
from bot.workspace.core import Workspace
from bot.workspace.delivery import COMMAND, EVENT, INTERACTION
from bot.workspace.elements import acted, initial_value
from bot.workspace.filling import fill_in
from bot.workspace.payloads import Asker
from bot.workspace.posting import post, read_content
from bot.workspace.store import Channel, Message, View
from bot.workspace.wire import Json, RefusedError, SlackError, choices

NOT_RESPONDING = "This app is not responding"


def find_person(workspace: Workspace, user: str) -> str:
    """Find a person by id or name."""
    for person in workspace.store.people.values():
        if user in (person.id, person.name):
            return person.id
    names = choices([p.name for p in workspace.store.people.values()])
    raise RefusedError(f"there is no user {user!r}; known: {names}", status=404)


def find_channel(workspace: Workspace, channel: str) -> Channel:
    """Find a channel by id or name."""
    try:
        return workspace.store.channel(channel)
    except SlackError:
        known = choices([c.name for c in workspace.store.channels.values() if not c.im_with])
        raise RefusedError(
            f"there is no channel {channel!r}; known: {known}", status=404
        ) from None


def find_place(workspace: Workspace, user: str, channel: str) -> Asker:
    """Find who does something where; the person must be in the channel."""
    asker = Asker(find_person(workspace, user), find_channel(workspace, channel))
    if asker.user not in asker.channel.members:
        raise RefusedError(f"{user} is not in #{asker.channel.name}", status=403)
    return asker


def undelivered(workspace: Workspace, error: SlackError) -> None:
    """Count a delivery that came to nothing."""
    if error.error == "dispatch_failed":
        workspace.counts.undelivered += 1
    else:
        workspace.counts.unacknowledged += 1


async def send_command(
    workspace: Workspace, user: str, channel: str, text: str, thread_ts: str | None = None
) -> Json:
    """Send a slash command and show the answer, or the error as Slack words it."""
    asker = find_place(workspace, user, channel)
    name, _, rest = text.strip().partition(" ")
    specs = {spec.command: spec for spec in workspace.settings.commands}
    if name not in specs:
        raise RefusedError(f"{name!r} is not a command here; known: {choices(list(specs))}")
    if thread_ts:
        shown = f"{name} is not supported in threads. Sorry!"
        workspace.tell(asker.user, None, shown)
        return {"ok": False, "error": "not_supported_in_threads", "shown": shown}
    rest = rest.strip()
    if specs[name].should_escape:
        rest = escape.typed(rest, workspace.store, named=True)
    payload = payloads.command(workspace, asker, name, rest)
    workspace.counts.delivered[COMMAND] += 1
    try:
        answer = await workspace.delivery.send(COMMAND, payload)
        return _show_answer(workspace, asker, answer)
    except SlackError as error:
        undelivered(workspace, error)
        shown = f'{name} failed with the error "{error.error}"'
        workspace.tell(asker.user, asker.channel.id, shown)
        return {"ok": False, "error": error.error, "shown": shown}


def _show_answer(workspace: Workspace, asker: Asker, answer: Json) -> Json:
    """Show what came with the acknowledgement of a command."""
    if not answer.get("text") and not answer.get("blocks"):
        return {"ok": True}
    try:
        content = read_content(workspace, answer)
    except SlackError:
        raise SlackError("dispatch_unknown_error") from None
    everyone = answer.get("response_type") == "in_channel"
    only_for = None if everyone else asker.user
    message = post(workspace, asker.channel.id, content, only_for=only_for)
    return {"ok": True, "message_ts": message.ts}


def _visible_message(asker: Asker, ts: str) -> Message:
    message = asker.channel.messages.get(ts)
    if message is None or message.only_for not in (None, asker.user):
        raise RefusedError(f"there is no message {ts} in #{asker.channel.name}", status=404)
    return message


def visible_view(workspace: Workspace, user: str, view_id: str) -> View:
    """Find the modal on top or the home tab of a person."""
    view = workspace.store.view(view_id)
    if view is None or view.user != user:
        raise RefusedError(f"{user} has no open view {view_id}", status=404)
    stack = workspace.store.stacks[user]
    if view in stack[:-1]:
        raise RefusedError(f"{view_id} lies under the modal {stack[-1].id}", status=409)
    return view


def find_element(
    blocks: list[Json] | None, action_id: str, block_id: str | None
) -> tuple[str, Json]:
    """Find the one element that is meant, as it stands now."""
    there = list(interactive(blocks))
    found = [
        (block, element)
        for block, element in there
        if element.get("action_id") == action_id and block_id in (None, block)
    ]
    if not found:
        known = choices([element["action_id"] for _, element in there])
        raise RefusedError(
            f"there is no {action_id!r} to click now; there is: {known}", status=409
        )
    if len(found) > 1:
        known = choices([block for block, _ in found])
        raise RefusedError(f"{action_id!r} is there more than once; say block_id: {known}")
    return found[0]


@dataclass(frozen=True, slots=True)
class Seen:
    """An element in front of a person, and the view or message that it is part of."""

    user: str
    block_id: str
    element: Json
    view: View | None = None
    asker: Asker | None = None
    message: Message | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """Give where the element stands, for what only this person is offered there."""
        assert self.view is not None or self.message is not None
        where = (
            self.view.id if self.view else f"{self.user} {self.message.ts if self.message else ''}"
        )
        return where, self.block_id, self.element["action_id"]


def visible_element(workspace: Workspace, user: str, request: Json) -> Seen:
    """Find the element of a message, a modal or the home tab that a request means."""
    wanted = (request["action_id"], request.get("block_id"))
    if request.get("view_id"):
        view = visible_view(workspace, user, request["view_id"])
        block_id, element = find_element(view.body["blocks"], *wanted)
        return Seen(user, block_id, element, view=view)
    asker = find_place(workspace, user, request.get("channel") or "")
    message = _visible_message(asker, request.get("message_ts") or "")
    block_id, element = find_element(message.blocks, *wanted)
    return Seen(user, block_id, element, asker=asker, message=message)


def _must_send(seen: Seen) -> None:
    """Refuse to act on an input which says nothing before it is submitted."""
    body = seen.view.body["blocks"] if seen.view else seen.message and seen.message.blocks
    for block in body or []:
        silent = block["type"] == "input" and not block.get("dispatch_action")
        if silent and block["block_id"] == seen.block_id:
            raise RefusedError(
                f"{seen.element['action_id']!r} sends nothing when it changes, as its block "
                "has no dispatch_action; use /_/fill or /_/submit",
                status=409,
            )


def _action(workspace: Workspace, seen: Seen, request: Json) -> Json:
    """Describe what the person did, and keep it in the state of a view."""
    store, element, view = workspace.store, seen.element, seen.view
    now = view.values.get(seen.block_id, {}).get(element["action_id"]) if view else None
    offered = picking.suggested(store, seen.place, element, now)
    asked = request | {"value": picking.picked(store, element, request.get("value"))}
    action = acted(offered, seen.block_id, asked, store.clock.next())
    state = initial_value(element)
    if view is not None and state is not None:
        kept = {name: action.get(name) for name in state}
        view.values.setdefault(seen.block_id, {})[action["action_id"]] = kept
    return action


async def click(workspace: Workspace, request: Json) -> Json:
    """Act on an element of a message, a modal or the home tab."""
    user = find_person(workspace, request["user"])
    seen = visible_element(workspace, user, request)
    _must_send(seen)
    if seen.view is not None:
        fill_in(workspace, seen.view, request.get("values") or {})
        payload = payloads.view_action(workspace, seen.view, _action(workspace, seen, request))
    else:
        assert seen.asker is not None
        assert seen.message is not None
        action = _action(workspace, seen, request)
        payload = payloads.message_action(workspace, seen.asker, seen.message, action)
    workspace.counts.delivered[INTERACTION] += 1
    try:
        await workspace.delivery.send(INTERACTION, payload)
    except SlackError as error:
        undelivered(workspace, error)
        shown = f"{NOT_RESPONDING} ({error.error})"
        workspace.tell(user, None, shown)
        return {"ok": False, "error": error.error, "shown": shown}
    return {"ok": True}


async def open_home(workspace: Workspace, user: str) -> Json:
    """Open the app's home tab: the event is tried again like every event."""
    user = find_person(workspace, user)
    workspace.in_background(send_event(workspace, payloads.home_opened(workspace, user)))
    return {"ok": True}


async def send_event(workspace: Workspace, payload: Json) -> None:
    """Deliver an event; without an acknowledgement again, up to three times."""
    reason = ""
    for attempt, seconds in enumerate((0.0, *workspace.settings.event_retry_seconds)):
        await asyncio.sleep(seconds)
        workspace.counts.delivered[EVENT] += 1
        try:
            await workspace.delivery.send(EVENT, payload, attempt, reason)
        except SlackError as error:
            undelivered(workspace, error)
            timed_out = error.error == "operation_timeout"
            reason = "http_timeout" if timed_out else "connection_failed"
        else:
            return


def say(
    workspace: Workspace, user: str, channel: str, text: str, thread_ts: str | None = None
) -> Json:
    """Post what a person writes."""
    asker = find_place(workspace, user, channel)
    if not text.strip():
        raise RefusedError("there is nothing to post: text is empty")
    if thread_ts is not None:
        _visible_message(asker, thread_ts)
    message = Message(
        channel=asker.channel.id,
        ts=workspace.store.clock.next(),
        user=asker.user,
        text=escape.typed(text.strip(), workspace.store, named=False),
        thread_ts=thread_ts,
    )
    workspace.store.add(message)
    workspace.live.change()
    return {"ok": True, "ts": message.ts}
