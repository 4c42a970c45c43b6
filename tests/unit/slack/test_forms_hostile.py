"""Whatever things are called, the form and the Home tab are valid, and nothing in them acts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from unit.slack.support import NOW, PHASES, Json, in_phase, risky_plan
from unit.slack.test_views_hostile import HOSTILE, hostile, hostile_assessment, is_harmless

from bot.core.canary import Canary
from bot.core.freezes import Freeze
from bot.core.plan import Actor, Gate, Plan
from bot.slack.views import kit
from bot.slack.views import start as views
from bot.slack.views.form import Choices, Draft, Facts, Form, choosable
from bot.slack.views.home import Scene, home_page
from bot.slack.views.kit import Message
from bot.workspace.blocks import check_view

URL = "https://works.slack.com/archives/C/p1"


def is_a_harmless_view(view: Json) -> None:
    """Slack takes it, and nothing in it is a mention, a link or a turn of direction by accident."""
    check_view(view, "modal", "home")
    plain = [block for block in view["blocks"] if block["type"] not in {"input", "divider"}]
    for block in plain:
        is_harmless(Message("-", [block]))
    for block in (block for block in view["blocks"] if block["type"] == "input"):
        said = [block["label"], block.get("hint"), block["element"].get("options")]
        assert "\u202e" not in "".join(_texts(said))


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    if isinstance(value, dict):
        shown = [value["text"]] if isinstance(value.get("text"), str) else []
        return shown + _texts(value.get("text"))
    return []


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.sampled_from(sorted(PHASES)))
def test_hostile_texts_do_nothing_in_the_form(
    service: str, revision: str, tier: str, reason: str, name: str
) -> None:
    """Services, revisions, tiers, reasons, freezes and refusals of any content and length."""
    form = Form(service or "s", revision, tier, revision, reason, reason)
    draft = Draft(form, tier=tier, percent=revision[:20], window=reason[:20], channel="C0DEPLOYS")
    canary = hostile(in_phase(name), service, revision, reason)
    by = Actor(revision, reason)
    freeze = Freeze(service, by, reason, NOW, NOW + timedelta(hours=1))
    found = hostile_assessment(service, revision, reason)
    facts = Facts(canary, URL, freeze, (revision, service, tier, reason), found, reason)
    gate = Gate((service, "S0APPROVE", revision) * 20, timedelta(minutes=5), 2, author=False)
    plan = replace(risky_plan(), tier=tier, reasons=(reason,) * 10, assessment=found)
    plan = replace(plan, start_gate=gate, promote_gate=gate)
    services = list(dict.fromkeys([service, revision, "shop"]))
    choices = Choices(services, list(dict.fromkeys([tier, revision, "safe"])), "C0DEPLOYS")
    if choosable([service]):  # a form is opened for no other
        plans: tuple[Plan | str, ...] = (plan, reason)
        for each in plans:
            is_a_harmless_view(views.start_view(_drawable(draft), choices, each, facts))
    is_a_harmless_view(views.starting_view(draft))
    is_a_harmless_view(views.started_view(draft, canary, URL))
    is_a_harmless_view(views.refused_view(draft, reason))


def _drawable(draft: Draft) -> Draft:
    """As the form is drawn: with what its fields can hold."""
    return Draft.read(draft.dump())


@given(st.lists(HOSTILE, min_size=4, max_size=4))
def test_what_a_view_carries_is_read_again(texts: list[str]) -> None:
    """Within Slack's 3,000 characters, and a second time it is the same."""
    revision, tier, size, reason = texts
    form = Form("shop", revision, tier, size, size, reason)
    draft = Draft(form, channel="C0DEPLOYS").filled("tier", tier)
    kept = draft.dump()
    assert len(kept) <= 3000
    assert Draft.read(kept).dump() == kept


@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from(sorted(PHASES)))
def test_hostile_texts_do_nothing_in_home(
    service: str, revision: str, reason: str, name: str
) -> None:
    """Names, reasons of freezes and whatever was answered to a click."""
    canary: Canary = hostile(in_phase(name), service, revision, reason)
    freeze = Freeze(service, Actor(revision, reason), reason, NOW, NOW + timedelta(hours=1))
    scene = Scene(
        waiting=[canary],
        live=[canary] * 2,
        freezes=[freeze] * 2,
        ended=[canary] * 2,
        links={canary.id: URL},
        notice=kit.private(reason),
    )
    is_a_harmless_view(home_page(scene, NOW).view)
    is_a_harmless_view(home_page(Scene(trouble=reason), NOW).view)
