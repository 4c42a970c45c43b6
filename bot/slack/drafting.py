"""From what is typed into the form to a plan, or to what is wrong with which field."""

from dataclasses import replace
from typing import Any

from bot.config.units import written
from bot.core.assessment import Assessment
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
    return planned(catalog, Draft(form, channel=channel))


def planned(
    catalog: Catalog, draft: Draft, assessment: Assessment | None = None, *, moved: bool = False
) -> Draft:
    """The draft with what the plan says, wherever nobody has chosen anything else.

    Args:
        catalog, draft: what is configured, and what stands in the form.
        assessment: what was found of the revision.
        moved: whether it is another service's now, which brings its own tier whatever was chosen.

    """
    form = draft.form
    chosen = None if moved or form.tier in {"", draft.tier} else form.tier
    try:
        due = catalog.plan_for(
            form.service, tier=None, percent=None, window=None, assessment=assessment
        )
        plan = catalog.plan_for(
            form.service, tier=chosen, percent=None, window=None, assessment=assessment
        )
    except ValueError:
        return draft
    first = plan.steps[0]
    says = {
        "tier": plan.tier,
        "percent": _number(first.weight),
        "window": written(first.window),
    }
    for field in ("percent", "window"):
        untouched = {getattr(draft, field)} if assessment else {"", getattr(draft, field)}
        if getattr(form, field) not in untouched:  # it was typed, or emptied to be typed into
            continue
        if getattr(form, field) != says[field]:
            draft = draft.filled(field, says[field])
    if form.tier != says["tier"]:
        draft = draft.filled("tier", says["tier"])
    return replace(draft, tier=due.tier, percent=says["percent"], window=says["window"])


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


def tier_of(draft: Draft) -> str | None:
    """The tier that was chosen in place of the one that is due."""
    return None if draft.form.tier in {"", draft.tier} else draft.form.tier


def plan_of(catalog: Catalog, draft: Draft, assessment: Assessment | None = None) -> Plan | str:
    """The plan of what is typed, or what is wrong with it."""
    form = draft.form
    try:
        return catalog.plan_for(
            form.service,
            tier=tier_of(draft),
            percent=size_of(form.percent, draft.percent),
            window=size_of(form.window, draft.window),
            assessment=assessment,
        )
    except ValueError as error:
        return _sentence(str(error))


def size_of(typed: str, planned: str) -> str | None:
    """What was typed in place of the plan's own, with which a plan of several steps stays one."""
    text = typed.replace(",", ".").removesuffix("%").strip()
    return None if text in {"", planned} else text


def wrong(catalog: Catalog, draft: Draft) -> dict[str, str]:
    """What is wrong, by field; each is tried with nothing else that could be."""
    form = draft.form
    percent, window = size_of(form.percent, draft.percent), size_of(form.window, draft.window)
    tier = tier_of(draft)
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
