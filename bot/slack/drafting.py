"""From what is typed into the form to a plan, or to what is wrong with which field."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from bot.config.units import written
from bot.core.plan import Plan, Weight
from bot.slack.desk import Catalog
from bot.slack.grammar import bad_revision
from bot.slack.text import clean, clip
from bot.slack.views.form import FIELDS, LONGEST, Draft, Form, action_id, choosable


def first(catalog: Catalog, channel: str, service: str, revision: str) -> Draft | None:
    """The form as it is opened: the named service, or the channel's own, or the first."""
    services = choosable(catalog.service_names())
    if not services:
        return None
    here = [each for each in services if channel and catalog.channel_of(each) == channel]
    chosen = service if service in services else [*here, *services][0]
    form = Form(chosen, clip(clean(revision), LONGEST["revision"]))
    return _with_plan(catalog, Draft(form, channel=channel), own_tier=True)


def _with_plan(catalog: Catalog, draft: Draft, *, own_tier: bool) -> Draft:
    """Fill in what the plan says wherever nobody has typed anything else."""
    form = draft.form
    tier = None if own_tier else form.tier
    try:
        plan = catalog.plan_for(form.service, tier=tier, percent=None, window=None)
    except ValueError:
        return draft
    first = plan.steps[0]
    says = {"percent": _number(first.weight), "window": written(first.window)}
    untouched = [field for field in says if getattr(form, field) in {"", getattr(draft, field)}]
    for field in untouched:
        if getattr(form, field) != says[field]:
            draft = draft.filled(field, says[field])
    if own_tier and form.tier != plan.tier:
        draft = draft.filled("tier", plan.tier)
    return replace(draft, percent=says["percent"], window=says["window"])


def adjusted(catalog: Catalog, draft: Draft, *, moved: bool) -> Draft:
    """The draft after a change: tier, percent and window follow what they hang on.

    `moved` to another service, a draft gets that service's own tier, whatever it had.
    """
    fits = draft.form.tier in tiers(catalog, draft.form.service)
    return _with_plan(catalog, draft, own_tier=moved or not fits)


def drawn_anew(draft: Draft) -> Draft:
    """Every field drawn anew with what had been typed."""
    for field in FIELDS:
        draft = draft.filled(field, getattr(draft.form, field))
    return draft


def read(view: dict[str, Any]) -> Draft:
    """The draft with what stands in its fields now.

    A field that Slack does not tell, as it may for one that was not touched, is as it was drawn.
    """
    draft = Draft.read(str(view.get("private_metadata") or ""))
    state = (view.get("state") or {}).get("values") or {}
    found: dict[str, str] = {}
    for field in FIELDS:
        value = (state.get(draft.block_id(field)) or {}).get(action_id(field))
        if not isinstance(value, dict):
            continue
        if "selected_option" in value:
            value = value["selected_option"] or {}
            found |= {field: str(value["value"])} if "value" in value else {}
        else:
            found[field] = str(value.get("value") or "").strip()
    return replace(draft, form=replace(draft.form, **found))


def tiers(catalog: Catalog, service: str) -> list[str]:
    """The tiers this service may be started with: its own, then the more careful ones."""
    found = []
    for tier in catalog.tier_names():
        with suppress(ValueError):
            catalog.plan_for(service, tier=tier, percent=None, window=None)
            found.append(tier)
    return found


def plan_of(catalog: Catalog, draft: Draft) -> Plan | str:
    """The plan of what is typed, or what is wrong with it."""
    form = draft.form
    try:
        return catalog.plan_for(
            form.service,
            tier=form.tier or None,
            percent=_size(form.percent, draft.percent),
            window=_size(form.window, draft.window),
        )
    except ValueError as error:
        return _sentence(str(error))


def _size(typed: str, planned: str) -> str | None:
    """What was typed in place of the plan's own, with which a plan of several steps stays one."""
    text = typed.replace(",", ".").removesuffix("%").strip()
    return None if text in {"", planned} else text


def wrong(catalog: Catalog, draft: Draft) -> dict[str, str]:
    """What is wrong, by field; each is tried with nothing else that could be."""
    form = draft.form
    percent, window = _size(form.percent, draft.percent), _size(form.window, draft.window)
    tier = form.tier or None
    if why := _refused(catalog, form.service):
        return {"service": why}
    if why := _refused(catalog, form.service, tier=tier):
        found = {"tier": why}
    else:
        found = {
            "percent": _refused(catalog, form.service, tier=tier, percent=percent),
            "window": _refused(catalog, form.service, tier=tier, window=window),
        }
    found["revision"] = bad_revision(form.revision) or "" if form.revision else "Say which one."
    found = {field: why for field, why in found.items() if why}
    if not found and isinstance(together := plan_of(catalog, draft), str):
        return {"window": together}
    return found


def _refused(
    catalog: Catalog,
    service: str,
    *,
    tier: str | None = None,
    percent: str | None = None,
    window: str | None = None,
) -> str:
    try:
        catalog.plan_for(service, tier=tier, percent=percent, window=window)
    except ValueError as error:
        return _sentence(str(error))
    return ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _number(weight: Weight) -> str:
    return f"{weight.permille / 10:g}"
