"""What a pipeline sees of canaries, and what it may ask of them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from builders import ADA, NOON, a_canary, a_plan
from unit.api.apiroom import Planner, Room, room

from bot.api import ApiServer
from bot.api.shapes import State
from bot.api.states import has_ended, is_news, state_of
from bot.core.canary import (
    AwaitingDecision,
    Cause,
    PendingApproval,
    Preparing,
    Promoted,
    Rejected,
    RolledBack,
)
from bot.core.plan import ANYONE, Approval, Gate
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health
from bot.ports import PortError


@pytest.fixture
async def here() -> AsyncIterator[Room]:
    async with room() as made:
        yield made


BREACH = Finding(
    Sli.ERRORS, Health.BREACHED, 0.052, 0.0048, 10.8, "1.2x", 0.00025, "", low=8, high=float("inf")
)
GATE = Gate(("U0GRACE01", "token:ci"), timedelta(minutes=5), 2)


def test_the_state_follows_from_the_canary_alone() -> None:
    """A breach with which indicator, how much worse, and how sure."""
    took = timedelta(seconds=2)
    cause = Cause("breach", "errors", None, (BREACH,))
    state = state_of(a_canary(phase=RolledBack(cause, NOON, took)), NOON)

    assert (state.state, state.weight, state.step, state.window) == ("rolled_back", 0, None, None)
    assert state.cause is not None
    (finding,) = state.cause.findings
    assert (finding.ratio, finding.high) == (10.8, None)
    assert finding.confidence == "at most 1 in 4,000 by chance"
    assert has_ended(state)


def test_what_it_waits_for_is_told_with_who_may_answer() -> None:
    """And who has answered already."""
    asked = AwaitingDecision(
        0, "promote", NOON, NOON + timedelta(minutes=5), (Approval(ADA, NOON),)
    )
    state = state_of(a_canary(phase=asked, plan=a_plan(promote_gate=GATE)), NOON)
    waiting = state.waiting_for

    assert state.state == "waiting"
    assert waiting is not None
    assert (waiting.question, waiting.needed) == ("promote", 2)
    assert waiting.approvers == ["U0GRACE01", "token:ci"]
    assert [one.id for one in waiting.approved_by] == [ADA.id]


@pytest.mark.parametrize(
    ("phase", "word"),
    [
        (PendingApproval(NOON, NOON), "waiting"),
        (Promoted(NOON), "promoted"),
        (Rejected("no", NOON), "rejected"),
    ],
)
def test_each_phase_has_one_of_five_words(phase: Any, word: str) -> None:
    """Pipelines tell by it whether to go on."""
    assert state_of(a_canary(phase=phase), NOON).state == word


def test_a_version_changes_with_the_state_and_with_nothing_else() -> None:
    """A later look at the same canary is no news."""
    canary = a_canary()
    state, later = state_of(canary, NOON), state_of(canary, NOON + timedelta(minutes=1))
    drifted = state_of(replace(canary, revision="v3"), NOON)

    assert state == later
    assert drifted.version != state.version
    assert not is_news(state, state.version)
    assert not is_news(state, "running")
    assert not is_news(state, "observing")
    assert is_news(state, "waiting")


def test_the_address_of_the_message_is_told_and_is_no_news() -> None:
    """Replicas that have not learnt it yet tell the same canary."""
    canary = a_canary(phase=Preparing(NOON))
    bare, linked = state_of(canary, NOON), state_of(canary, NOON, "https://acme.slack.com/p1")

    assert "message" not in bare.links
    assert linked.links["message"] == "https://acme.slack.com/p1"
    assert linked.version == bare.version


async def test_canaries_are_listed_newest_first(here: Room) -> None:
    """Live ones, and those that have ended."""
    ci = await here.token()
    first = (await here.start(ci)).json()["id"]
    await here.http.post(f"/v1/canaries/{first}/abort", headers=ci)
    await here.bot.until(first, lambda canary: canary.is_ended)
    second = (await here.start(ci)).json()["id"]

    async def ids(query: str) -> list[str]:
        answer = await here.http.get(f"/v1/canaries{query}", headers=ci)
        return [one["id"] for one in answer.json()["canaries"]]

    assert await ids("") == [second, first]
    assert await ids("?service=shop&limit=1") == [second]
    assert await ids("?live=true") == [second]
    assert await ids("?live=false") == [first]


async def test_a_wait_ends_with_the_news(here: Room) -> None:
    """Not before it, and not long after it."""
    ci = await here.token()
    begun = (await here.start(ci)).json()["id"]
    await here.bot.until(begun, lambda canary: canary.phase.kind == "observing")
    path = f"/v1/canaries/{begun}"
    waiting = asyncio.create_task(
        here.http.get(path, params={"wait": "30s", "seen": "running"}, headers=ci)
    )
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await here.http.post(f"{path}/abort", json={"reason": "no"}, headers=ci)

    state = (await waiting).json()
    assert state["state"] == "rolled_back"
    assert state["cause"]["kind"] == "abort"
    ended = await here.http.get(path, params={"wait": "30s", "seen": "rolled_back"}, headers=ci)
    assert ended.json() == state


async def test_a_wait_without_news_ends_with_what_is(here: Room) -> None:
    """200, so that the caller asks again."""
    ci = await here.token()
    begun = (await here.start(ci)).json()["id"]
    answer = await here.http.get(
        f"/v1/canaries/{begun}", params={"wait": "100ms", "seen": "running"}, headers=ci
    )

    assert (answer.status_code, answer.json()["state"]) == (200, "running")


async def test_events_tell_each_change_and_end_with_the_end(here: Room) -> None:
    """And whoever comes back with the last id is not told it again."""
    ci = await here.token()
    begun = (await here.start(ci)).json()["id"]
    told: list[State] = []
    kinds: list[str] = []
    async with here.http.stream("GET", f"/v1/canaries/{begun}/events", headers=ci) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "retry":
                assert int(value) > 0
            if name == "event":
                kinds.append(value)
            if name == "data":
                told.append(State.model_validate_json(value))
                if len(told) == 1:
                    await here.http.post(f"/v1/canaries/{begun}/abort", headers=ci)

    assert told[-1].state == "rolled_back"
    assert kinds[-1] == "end"
    again = await here.http.get(
        f"/v1/canaries/{begun}/events", headers=ci | {"Last-Event-ID": told[-1].version}
    )
    assert "data:" not in again.text


async def test_whoever_waits_is_let_go_when_the_replica_leaves(here: Room) -> None:
    """With what is true now, to ask another one."""
    ci = await here.token()
    begun = (await here.start(ci)).json()["id"]
    await here.bot.until(begun, lambda canary: canary.phase.kind == "observing")
    params = {"wait": "60s", "seen": "running"}
    waiting = asyncio.create_task(
        here.http.get(f"/v1/canaries/{begun}", params=params, headers=ci)
    )
    events = asyncio.create_task(here.http.get(f"/v1/canaries/{begun}/events", headers=ci))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await here.server.close()

    assert time.monotonic() - began < 3
    assert (await waiting).json()["state"] == "running"
    assert (await events).status_code == 200


async def test_a_port_that_is_taken_is_a_sentence(here: Room) -> None:
    """With the setting that names another one."""
    second = ApiServer(object(), "127.0.0.1", here.server.port)

    with pytest.raises(PortError, match=r"api\.listen"):
        await second.start()
    await second.close()


async def test_a_token_decides_only_where_it_is_named() -> None:
    """“Anyone” means people; `token:NAME` among the approvers is the token."""
    async with room(planner=Planner(gate=Gate((ANYONE,), timedelta(minutes=5)))) as here:
        ci = await here.token()
        begun = (await here.start(ci)).json()
        refused = await here.http.post(f"/v1/canaries/{begun['id']}/approve", headers=ci)
        assert begun["state"] == "waiting"
        assert refused.status_code == 409
        assert "You may not approve" in refused.json()["detail"]
    named = Gate(("token:ci",), timedelta(minutes=5))
    async with room(planner=Planner(gate=named)) as here:
        ci = await here.token()
        begun = (await here.start(ci)).json()
        approved = await here.http.post(f"/v1/canaries/{begun['id']}/approve", headers=ci)
        assert approved.status_code == 200
        assert approved.json()["state"] == "running"


async def test_orders_reach_the_canary(here: Room) -> None:
    """Pause, resume, extend; what does not fit is refused in words."""
    ci = await here.token()
    begun = (await here.start(ci)).json()["id"]
    await here.bot.until(begun, lambda canary: canary.phase.kind == "observing")

    async def order(name: str, **body: Any) -> tuple[int, dict[str, Any]]:
        answer = await here.http.post(f"/v1/canaries/{begun}/{name}", json=body, headers=ci)
        return answer.status_code, answer.json()

    status, paused = await order("pause", **{"for": "1h"})
    assert (status, paused["phase"]) == (200, "paused")
    status, again = await order("pause")
    assert (status, again["type"]) == (409, "urn:canarybot:refused")
    status, resumed = await order("resume")
    assert (status, resumed["phase"]) == (200, "observing")
    status, extended = await order("extend", **{"for": "5m"})
    assert status == 200
    assert extended["window"]["until"] > resumed["window"]["until"]
    status, marked = await order("mark", false=True)
    assert (status, marked["status"]) == (409, 409)


async def test_a_promotion_that_is_sent_twice_counts_once(here: Room) -> None:
    """What was seen is named, so the second one finds another question and does nothing."""
    ci = await here.token()
    begun = (await here.start(ci)).json()["id"]
    await here.bot.until(begun, lambda canary: canary.phase.kind == "observing")
    path = f"/v1/canaries/{begun}"

    async def post(name: str, **body: Any) -> httpx.Response:
        return await here.http.post(f"{path}/{name}", json=body, headers=ci)

    another = await post("promote", step=2)
    answer = await post("approve", question="promote", step=1)

    assert (another.status_code, answer.status_code) == (409, 409)
    assert (await here.http.get(path, headers=ci)).json()["phase"] == "observing"


async def test_a_freeze_is_set_listed_and_lifted(here: Room) -> None:
    """By a token that may, and for as long as it says."""
    ci = await here.token()
    made = await here.http.post(
        "/v1/freezes", json={"scope": "shop", "for": "2h", "reason": "audit"}, headers=ci
    )
    listed = (await here.http.get("/v1/freezes", headers=ci)).json()["freezes"]
    services = (await here.http.get("/v1/services", headers=ci)).json()["services"]
    lifted = await here.http.delete("/v1/freezes/shop", headers=ci)
    again = await here.http.delete("/v1/freezes/shop", headers=ci)

    assert made.status_code == 201
    assert [one["reason"] for one in listed] == ["audit"]
    assert json.dumps(services).count("audit") == 1
    assert (lifted.status_code, again.status_code) == (204, 404)


async def test_everything_is_frozen_only_by_a_token_for_everything(here: Room) -> None:
    """One that is for some services is told so."""
    shop = await here.token("shop", services=("shop",))
    refused = await here.http.post("/v1/freezes", json={"scope": "all"}, headers=shop)
    frozen = await here.http.post("/v1/freezes", json={"scope": "all"}, headers=await here.token())

    assert refused.status_code == 403
    assert frozen.status_code == 201


async def test_a_change_is_classified_without_a_start(here: Room) -> None:
    """With the reasons, and what it means for a rollback."""
    ci = await here.token()
    answer = await here.http.post(
        "/v1/classify", json={"service": "shop", "revision": "v2"}, headers=ci
    )

    assert answer.status_code == 200
    assert (answer.json()["tier"], answer.json()["rollback_safe"]) == ("risky", False)
    assert await here.bot.service.all_live() == ()


async def test_a_service_tells_what_is_stable(here: Room) -> None:
    """To whoever may start it, since the change is counted from there."""
    ci = await here.token("ci", permissions=("start",))
    empty = await here.http.get("/v1/services/shop", headers=ci)
    started = await here.start(ci)
    for scope in ("shop", "cart"):
        await here.http.post("/v1/freezes", json={"scope": scope}, headers=await here.token(scope))
    live = await here.http.get("/v1/services/shop", headers=ci)

    assert empty.json() == {"name": "shop", "live": None, "freezes": [], "stable_revision": "v1"}
    assert live.json()["live"] == started.json()["id"]
    assert [freeze["scope"] for freeze in live.json()["freezes"]] == ["shop"]


async def test_a_service_that_a_token_is_not_for_is_told_to_nobody(here: Room) -> None:
    """As one that there is none of; and a token that may only decide has no use for it."""
    cart = await here.token("cart", services=("cart",))
    hidden = await here.http.get("/v1/services/shop", headers=cart)
    decider = await here.token("decider", permissions=("decide",))
    refused = await here.http.get("/v1/services/shop", headers=decider)

    assert hidden.status_code == 404
    assert "(Of those that the token cart is for.)" in hidden.json()["detail"]
    assert refused.status_code == 403
    assert "needs read or start" in refused.json()["detail"]
