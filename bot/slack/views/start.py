"""The form that starts a canary: what is asked, what will happen, and what came of it."""

from collections.abc import Sequence
from typing import Any

from bot.core.assessment import Assessment
from bot.core.canary import Canary, PendingApproval
from bot.core.plan import ANYONE, FULL, Gate, Plan
from bot.slack.text import clean, clip, duration, name
from bot.slack.views import kit
from bot.slack.views.canary import headline
from bot.slack.views.change import contents, reasons, unsafe
from bot.slack.views.form import (
    BACK,
    DISPATCHED,
    FORM,
    LONGEST,
    MOST_OFFERED,
    MOST_OPTIONS,
    USE,
    Choices,
    Draft,
    Facts,
    Form,
    action_id,
    choosable,
)
from bot.slack.views.freezes import in_the_way
from bot.slack.views.kit import Block, Line, code, strong, words


def start_view(draft: Draft, choices: Choices, plan: Plan | str, facts: Facts) -> dict[str, Any]:
    """The form; `plan` is a sentence where what is typed makes none."""
    asks = isinstance(plan, Plan) and plan.start_gate is not None
    found = facts.assessment
    risk = unsafe(found, ways_out=True)
    reason = _typed(draft, "reason", "Why now, or what changes", multiline=True)
    blocks = [
        *_warnings(facts),
        _service(draft, choices.services),
        *_revision(draft, facts.revisions),
        *([kit.rich(*risk)] if risk else []),
        kit.rich([strong("What will happen")], *_outlook(draft.form, plan, choices.channel)),
        {"type": "divider"},
        *_tier(draft, choices.tiers, found),
        *_size(draft, plan),
        _input(draft, "reason", "Reason", reason, optional=True),
    ]
    submit = "Ask for approval" if asks else "Start"
    return _modal(draft, "Start a canary", blocks, close="Cancel") | {"submit": _label(submit)}


def starting_view(draft: Draft) -> dict[str, Any]:
    """While the start is under way."""
    said = kit.rich([words("Starting "), strong(_what(draft.form)), words(" …")])
    return _modal(draft, "Starting", [said])


def started_view(draft: Draft, canary: Canary, link: str) -> dict[str, Any]:
    """It is under way: where to look, and what comes next."""
    open_it = [words(" · "), _link(link, "open it")] if link else []
    said = [
        [strong(headline(canary))],
        [words("Its message is in "), _channel(canary.channel), words(": "), code(canary.id)],
    ]
    said[-1] += open_it
    coming = [
        [strong("What happens next")],
        *outlook(canary.plan, canary.service, canary.revision),
    ]
    title = "Waiting for approval" if isinstance(canary.phase, PendingApproval) else "Started"
    return _modal(draft, title, [kit.rich(*said), kit.rich(*coming)])


def refused_view(draft: Draft, why: str) -> dict[str, Any]:
    """It did not start: why, and the way back to what was typed."""
    what = _what(draft.form)
    said = kit.rich([strong(f"{what} was not started")], kit.prose(clip(reason_of(why), 2500)))
    back = kit.button("Back to the form", BACK, "back", spoken=f"Back to the form: {what}")
    return _modal(draft, "Not started", [said, kit.actions(back)])


def reason_of(refusal: str) -> str:
    """A refusal's words, to follow a headline that says already that it was not started."""
    return refusal.removeprefix("Not started: ")


def outlook(plan: Plan, service: str, revision: str = "") -> list[Line]:
    """What will happen, in the order in which it does."""
    what = name(revision, 60) if revision else "the revision"
    first = plan.steps[0]
    begins = f"{first.weight} of {name(service)}'s live traffic goes to {what}"
    then = [f"{step.weight} for {duration(step.window)}" for step in plan.steps[1:8]]
    course = f" for {duration(first.window)}" + "".join(f", then {each}" for each in then)
    lines: list[Line] = []
    if plan.lowered_from:
        lower = f"Treated as {name(plan.tier)} instead of {name(plan.lowered_from)}. "
        lines.append([strong("⬇️ Lowered tier: "), words(lower)])
    if plan.start_gate is not None:
        lines.append([words("First "), *_asked(plan.start_gate, "start")])
        lines.append([words("Until then no traffic moves; without an answer it does not start.")])
    lines.append([words(f"{begins}{course}; the rest stays on stable.")])
    if plan.promote_gate is None:
        lines.append([strong("Healthy: "), words(f"promoted to {FULL} by itself.")])
    else:
        lines.append([strong("Healthy: "), *_asked(plan.promote_gate, "promote")])
        lines.append([words("Without an answer all traffic goes back to stable.")])
    lines.append(
        [strong("A breach at any moment: "), words("all traffic back to stable at once.")]
    )
    longer = duration(plan.extension)
    lines.append(
        [
            strong("Too little traffic to tell: "),
            words(f"up to {longer} longer, then a person is asked; silence goes back to stable."),
        ]
    )
    return lines


def _asked(gate: Gate, what: str) -> Line:
    """Who is asked, by name, and for how long."""
    people = "one of " if gate.needed == 1 else f"{gate.needed} of "
    anyone = "anyone" if gate.needed == 1 else f"any {gate.needed} people"
    who = [words(anyone)] if ANYONE in gate.approvers else [words(people), *kit.approvers(gate)]
    others = "" if gate.author else " (not you)"
    verb = "may approve the start" if what == "start" else "is asked to promote it"
    return [*who, words(f"{others} {verb}, within {duration(gate.timeout)}.")]


def _outlook(form: Form, plan: Plan | str, channel: str) -> list[Line]:
    if isinstance(plan, str):
        return [[strong("This cannot be started: "), words(plan)]]
    said = outlook(plan, form.service, form.revision)
    where = [[words("Announced in "), _channel(channel), words(".")]] if channel else []
    return [*said, *where, *reasons(plan), *contents(plan.assessment)]


def _warnings(facts: Facts) -> list[Block]:
    """What would refuse the start now, said before anything is typed."""
    lines: list[Line] = []
    if facts.live is not None:
        open_it = [words(" · "), _link(facts.link, "open it")] if facts.link else []
        lines.append(
            [
                strong("⚠️ One at a time: "),
                words(f"{headline(facts.live)}. Wait for its end, or abort it"),
                *open_it,
            ]
        )
    if facts.freeze is not None:
        lines.append(in_the_way(facts.freeze))
    if facts.trouble:
        lines.append([strong("⚠️ "), words(facts.trouble)])
    return [kit.rich(*lines)] if lines else []


def _service(draft: Draft, services: Sequence[str]) -> Block:
    chosen = option(draft.form.service)
    select: Block = {"action_id": action_id("service"), "initial_option": chosen}
    offered = choosable(services)
    if len(offered) <= MOST_OPTIONS:
        select |= {"type": "static_select", "options": [option(each) for each in offered]}
    else:
        select |= {"type": "external_select", "min_query_length": 1}
    return _input(draft, "service", "Service", select)


def _revision(draft: Draft, known: Sequence[str]) -> list[Block]:
    usable = [each for each in known if clean(each) and len(each) <= LONGEST["revision"]]
    usable = usable[:MOST_OFFERED]
    ready = ", ".join(name(each, 60) for each in usable)
    hint = f"Ready on the idle backend: {ready}." if ready else "What runs on the idle backend."
    typed = _typed(draft, "revision", "For example v2 or 3f9c2ab")
    blocks = [_input(draft, "revision", "Revision", typed, hint=hint)]
    offered = [each for each in usable if each != draft.form.revision]
    if offered:
        row = [
            kit.button(
                f"Use {name(each, 60)}",
                f"{USE}.{place}",
                each,
                spoken=f"Use {each}",
            )
            for place, each in enumerate(offered)
        ]
        blocks.append(kit.actions(*row))
    return blocks


def _tier(draft: Draft, tiers: Sequence[str], found: Assessment | None) -> list[Block]:
    offered = choosable(tiers)[:MOST_OPTIONS]
    if len(offered) < 2 or draft.form.tier not in offered:
        return []
    select = {
        "type": "static_select",
        "action_id": action_id("tier"),
        "options": [option(tier) for tier in offered],
        "initial_option": option(draft.form.tier),
    }
    due = name(draft.tier or draft.form.tier)
    whose = (
        "is due, by what it changes"
        if found
        else "is this service's own; what is changed may raise it"
    )
    hint = f"{due} {whose}. A lower one waits for an approver before it starts."
    return [_input(draft, "tier", "Tier", select, hint=hint)]


def _size(draft: Draft, plan: Plan | str) -> list[Block]:
    """Percent and window, the plan's own where they are left as they are."""
    steps = plan.steps if isinstance(plan, Plan) else ()
    course = " → ".join(f"{step.weight} for {duration(step.window)}" for step in steps[:8])
    several = (
        f" The plan has several steps ({course}); a change makes it one." if steps[1:] else ""
    )
    share = _typed(draft, "percent", draft.percent or "5")
    window = _typed(draft, "window", draft.window or "20m")
    forms = "How long it is judged: for example 20m, 90s or 1h30m."
    return [
        _input(draft, "percent", "Percent of the live traffic", share, hint=f"{several}".strip()),
        _input(draft, "window", "Window", window, hint=forms),
    ]


def _typed(draft: Draft, field: str, placeholder: str, *, multiline: bool = False) -> Block:
    typed = str(getattr(draft.form, field))
    element: Block = {
        "type": "plain_text_input",
        "action_id": action_id(field),
        "max_length": LONGEST[field],
        "placeholder": _label(placeholder, 150),
    }
    if multiline:
        element["multiline"] = True
    if field in DISPATCHED:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return element | ({"initial_value": clip(typed, LONGEST[field])} if typed else {})


def _input(
    draft: Draft, field: str, label: str, element: Block, *, hint: str = "", optional: bool = False
) -> Block:
    block: Block = {
        "type": "input",
        "block_id": draft.block_id(field),
        "label": _label(label),
        "element": element,
        "optional": optional,
    }
    if field in DISPATCHED:
        block["dispatch_action"] = True
    return block | ({"hint": _label(hint, 2000)} if hint else {})


def _modal(draft: Draft, title: str, blocks: list[Block], close: str = "Close") -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": draft.dump(),
        "title": _label(title),
        "close": _label(close),
        "blocks": blocks,
    }


def option(value: str) -> Block:
    """One of a select's options."""
    return {"text": _label(value), "value": value}


def _what(form: Form) -> str:
    return f"{name(form.service, 48)} {name(form.revision, 48)}"


def _label(text: str, longest: int = 75) -> Block:
    return {"type": "plain_text", "text": name(text, longest), "emoji": False}


def _link(url: str, label: str) -> Block:
    return {"type": "link", "url": url, "text": label}


def _channel(channel: str) -> Block:
    return {"type": "channel", "channel_id": channel}
