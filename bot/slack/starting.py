"""The form that starts a canary: opened at once, informed in the background, submitted once."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from bot.core.assessment import Assessment
from bot.core.canary import Canary
from bot.core.freezes import frozen
from bot.core.machine import Refused
from bot.core.plan import Plan
from bot.engine.launching import Wish, with_leave
from bot.ports import PortError
from bot.slack import desk, drafting
from bot.slack.desk import Parts
from bot.slack.grammar import bad_revision
from bot.slack.permissions import Visit
from bot.slack.surfaces import AtOnce, Closed, Overtaken, Shown, TooLate
from bot.slack.text import clean, clip
from bot.slack.views import kit
from bot.slack.views import start as views
from bot.slack.views.canary import subject
from bot.slack.views.form import (
    BACK,
    LONGEST,
    MOST_OPTIONS,
    USE,
    Choices,
    Draft,
    Facts,
    Form,
    action_id,
    choosable,
)
from bot.slack.views.kit import Message

LOOK_UP_PATIENCE: Final = 6.0
"""Seconds for what is told while the form is filled in; without it the form works as well."""

AFTER_ANSWER: Final = 0.5
"""Seconds from the acknowledgement until its view is sure to stand; it goes another way than the
result does, and would replace a result that came before it."""

UNDER_WAY: Final = 0.3
"""Seconds in which the answer to a change of ours has come."""

TYPED: Final = frozenset({action_id("percent"), action_id("window"), action_id("revision")})
POST_PATIENCE: Final = 5.0
POST_LOOK: Final = 0.3
JUST_NOW: Final = timedelta(minutes=1)

_LATE: Final = (
    "The form was not opened: Slack gives three seconds for it, and they were over. Nothing was "
    "started. Try once more, or start without the form: `/canary start SERVICE REVISION`."
)
_WITHOUT: Final = (
    "Nothing was started. It goes without the form: `/canary start SERVICE REVISION`."
)
_FAILED: Final = (
    "Something went wrong inside the bot, so it may not have been started; you are told more "
    "privately. `/canary status` shows how things stand."
)

_log = structlog.get_logger()


async def open_start(
    parts: Parts, visit: Visit, trigger_id: str, *, service: str = "", revision: str = ""
) -> Message | None:
    """Open the form, filled in as far as it is known.

    It stands after one call of Slack; what is in the way and what could be started is looked up
    then, and shown in it before this returns.

    Args:
        parts: as the listeners share them.
        visit: who asks, and where.
        trigger_id: of the command or click; lives for three seconds.
        service, revision: what was named already.

    Returns:
        Nothing where the form stands; else what to tell the person.

    """
    draft = drafting.first(parts.catalog, visit.channel, service, revision)
    if draft is None:
        return kit.private("No service is configured, so there is nothing to start.")
    try:
        shown = await parts.views.open(trigger_id, _drawn(parts, draft, Facts()))
    except TooLate:
        return kit.private(_LATE)
    except PortError as error:
        return kit.private(f"{error} {_WITHOUT}")
    await _inform(parts, visit, draft, shown)
    return None


async def change(parts: Parts, body: dict[str, Any]) -> None:
    """Show what another service, tier, percent or window means; nothing that was typed is lost."""
    clicked = (body.get("actions") or [{}])[0]
    action, view = str(clicked.get("action_id") or ""), body.get("view") or {}
    view_id = str(view.get("id") or "")
    draft = drafting.read(view)
    if action == BACK:
        draft = drafting.drawn_anew(draft)
    elif action.startswith(USE):
        draft = draft.filled("revision", str(clicked.get("value") or ""))
    elif action in TYPED and not await parts.views.rests(view_id, clicked):
        return
    if action not in TYPED:  # a field that was emptied is about to be typed into
        moved = action == action_id("service")
        draft = drafting.planned(parts.catalog, draft, moved=moved)
    seen = str(view.get("hash") or "")
    try:
        shown = Shown(view_id, parts.views.since(seen))
        if action != action_id("revision"):  # what a revision changes shows once it is known
            shown = await _redraw(parts, draft, view_id, seen)
        await _inform(parts, Visit.of(body), draft, shown)
    except (Closed, Overtaken):  # it may have been sent meanwhile: what came of that stays
        return
    except PortError as error:  # the form works without it
        _log.warning("slack.form.not_informed", why=str(error))


async def _redraw(parts: Parts, draft: Draft, view_id: str, seen: str) -> Shown:
    """Draw the form anew over what was seen, or over what we have made of that since.

    A change of ours may be under way: Slack has it, and its answer has not come yet.

    Raises:
        Overtaken: somebody else has changed it; Closed, PortError: as of `Views.update`.

    """
    while True:
        stands = parts.views.since(seen)
        try:
            return await parts.views.update(view_id, _drawn(parts, draft, Facts()), stands)
        except Overtaken:
            await asyncio.sleep(UNDER_WAY)
            if parts.views.since(seen) == stands:
                raise


def submit(parts: Parts, body: dict[str, Any]) -> AtOnce:
    """Answer at once: what is wrong with which field, or that it is being started."""
    view = body.get("view") or {}
    draft = drafting.read(view)
    wrong = drafting.wrong(parts.catalog, draft)
    if wrong:
        ids = {str(block.get("block_id")) for block in view.get("blocks") or []}
        errors = {draft.block_id(field): text for field, text in wrong.items()}
        elsewhere = " ".join(text for block, text in errors.items() if block not in ids)
        errors = {block: text for block, text in errors.items() if block in ids}
        if elsewhere:
            errors.setdefault(draft.block_id("service"), elsewhere)
        return AtOnce({"response_action": "errors", "errors": errors})
    answer = {"response_action": "update", "view": views.starting_view(draft)}
    visit = replace(Visit.of(body), channel=draft.channel)
    return AtOnce(answer, partial(_start, parts, visit, draft, str(view.get("id") or "")))


def suggest(parts: Parts, body: dict[str, Any]) -> AtOnce:
    """The services whose name holds what was typed, those that begin with it first."""
    typed = str(body.get("value") or "").strip().casefold()
    found = [each for each in choosable(parts.catalog.service_names()) if typed in each]
    found.sort(key=lambda each: (not each.startswith(typed), each))
    return AtOnce({"options": [views.option(each) for each in found[:MOST_OPTIONS]]})


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form that was submitted, and from when on its result can be shown in it."""

    visit: Visit
    draft: Draft
    view_id: str
    stands_at: float


async def _start(parts: Parts, visit: Visit, draft: Draft, view_id: str) -> None:
    """Start it, and say in the form what came of it."""
    sent = _Sent(visit, draft, view_id, asyncio.get_running_loop().time() + AFTER_ANSWER)
    form = draft.form
    wish = Wish(
        service=form.service,
        revision=form.revision,
        by=visit.actor(),
        tier=drafting.tier_of(draft),
        percent=drafting.size_of(form.percent, draft.percent),
        window=drafting.size_of(form.window, draft.window),
        reason=clip(clean(form.reason), LONGEST["reason"]),
    )
    try:
        answer = await _once(parts, visit, wish)
    except ValueError as error:  # the configuration is another one since
        answer = Refused(str(error))
    except PortError as error:
        answer = Refused(f"It could not be started now. {error}")
    except Exception:
        await _show(parts, sent, views.refused_view(draft, _FAILED), None)
        raise
    if isinstance(answer, Refused):
        _log.info("slack.start.refused", service=form.service, by=visit.user_id)
        why = views.reason_of(answer.reason)
        told = kit.private(f"{form.service} {form.revision} was not started. {why}")
        await _show(parts, sent, views.refused_view(draft, answer.reason), told)
        return
    parts.board.show(answer, urgent=True)
    said = f"Starting {subject(answer)}. How it goes stands in its channel: `{answer.id}`."
    view = views.started_view(draft, answer, parts.home.link(answer.thread))
    if await _show(parts, sent, view, kit.private(said)):
        await _link(parts, sent, answer)


async def _once(parts: Parts, visit: Visit, wish: Wish) -> Canary | Refused:
    """Start it; a form that was sent twice has started one canary, and both times it is that."""
    asked_at = parts.clock.now()
    answer = await desk.launch(parts, visit, wish)
    if not isinstance(answer, Refused):
        return answer
    live = await _live(parts, wish.service)
    if live is None or live.created_at < asked_at - JUST_NOW:
        return answer
    same = (live.revision, live.started_by.id) == (wish.revision, wish.by.id)
    return live if same else answer


async def _link(parts: Parts, sent: _Sent, canary: Canary) -> None:
    """Lead to the canary's message as soon as that is posted."""
    with suppress(PortError, Closed, TimeoutError):
        async with asyncio.timeout(POST_PATIENCE):
            await parts.home.learn()
            now: Canary | None = canary
            while now is not None and now.thread is None:
                await asyncio.sleep(POST_LOOK)
                now = await parts.desk.find(canary.id)
            if now is not None and (link := parts.home.link(now.thread)):
                view = views.started_view(sent.draft, now, link)
                await parts.views.update(sent.view_id, view)


async def _show(parts: Parts, sent: _Sent, view: dict[str, Any], told: Message | None) -> bool:
    """Show the result in the form, or tell it privately where that was closed or cannot be had."""
    await asyncio.sleep(max(0.0, sent.stands_at - asyncio.get_running_loop().time()))
    try:
        await parts.views.update(sent.view_id, view)
    except (Closed, PortError):
        if told is not None:
            await parts.replies.privately(sent.visit, told)
        return False
    return True


async def _inform(parts: Parts, visit: Visit, draft: Draft, shown: Shown) -> None:
    """Add what is in the way and what could be started, unless the form has moved on."""
    facts = await _look_up(parts, visit, draft.form)
    if facts == Facts():
        return
    if facts.assessment is not None:
        draft = drafting.planned(parts.catalog, draft, facts.assessment)
    try:
        await parts.views.update(shown.view_id, _drawn(parts, draft, facts), shown.hash)
    except (Closed, Overtaken):
        return
    except PortError as error:
        _log.warning("slack.form.not_informed", why=str(error))


async def _look_up(parts: Parts, visit: Visit, form: Form) -> Facts:
    """What can be known in a few seconds; a store that is away is said, a slow router is not."""
    known, revisions, found = await asyncio.gather(
        _in_the_way(parts, visit, form.service),
        _revisions(parts, form.service),
        _assessed(parts, form),
    )
    return replace(known, revisions=revisions, assessment=found)


async def _assessed(parts: Parts, form: Form) -> Assessment | None:
    """What the revision changes; a form goes on without, for the start looks again."""
    if not form.revision or bad_revision(form.revision):
        return None
    with suppress(PortError, TimeoutError):
        async with asyncio.timeout(LOOK_UP_PATIENCE):
            return await parts.launcher.assess(form.service, form.revision)
    return None


async def _in_the_way(parts: Parts, visit: Visit, service: str) -> Facts:
    try:
        async with asyncio.timeout(LOOK_UP_PATIENCE):
            live, freezes = await asyncio.gather(parts.desk.live(service), parts.desk.freezes())
            await parts.home.learn()
    except (PortError, TimeoutError) as error:
        why = str(error) or "The store does not answer."
        return Facts(trouble=f"Whether something is in the way of a start is not known now. {why}")
    return Facts(
        live=live,
        link=parts.home.link(live.thread) if live else "",
        freeze=frozen(freezes, service, parts.clock.now(), visit.actor()),
    )


async def _revisions(parts: Parts, service: str) -> tuple[str, ...]:
    with suppress(PortError, TimeoutError):
        async with asyncio.timeout(LOOK_UP_PATIENCE):
            return await parts.desk.revisions(service)
    return ()


async def _live(parts: Parts, service: str) -> Canary | None:
    with suppress(PortError):
        return await parts.desk.live(service)
    return None


def _drawn(parts: Parts, draft: Draft, facts: Facts) -> dict[str, Any]:
    service, catalog = draft.form.service, parts.catalog
    choices = Choices(catalog.service_names(), catalog.tier_names(), catalog.channel_of(service))
    plan = drafting.plan_of(catalog, draft, facts.assessment)
    if isinstance(plan, Plan):
        plan = with_leave(plan, catalog.keepers(service), None)
    return views.start_view(draft, choices, plan, facts)
