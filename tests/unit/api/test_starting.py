"""A pipeline starts a canary once, however often it asks, and is told in words why it may not."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from unit.api.apiroom import Room, room
from world import Now

from bot.core.canary import Canary
from bot.core.freezes import Freeze
from bot.core.moves import Refused
from bot.core.plan import Actor
from bot.engine.launching import Launcher, Wish
from bot.ports import PortError


@pytest.fixture
async def here() -> AsyncIterator[Room]:
    async with room() as made:
        yield made


async def test_a_start_answers_with_the_canary_and_where_it_is(here: Room) -> None:
    """201, and the same canary at its address."""
    ci = await here.token()
    started = await here.start(ci, reason="release 7")
    state = started.json()

    assert started.status_code == 201
    assert started.headers["Location"] == state["links"]["self"]
    assert (state["service"], state["revision"], state["state"]) == ("shop", "v2", "running")
    assert state["started_by"] == {"id": "token:ci", "name": "ci", "via": ""}
    assert state["reason"] == "release 7"
    found = await here.http.get(started.headers["Location"], headers=ci)
    assert found.json()["id"] == state["id"]


async def test_the_state_says_what_was_found_of_the_change(here: Room) -> None:
    """That rollback is not safe, with the statement, and where the change can be read."""
    state = (await here.start(await here.token())).json()

    assert state["rollback_safe"] is False
    assert state["statements"][0]["way_out"] == "Later."
    assert state["assessed"][0]["text"] == "It drops a column."
    assert state["links"]["change"] == "https://git.example/compare"


async def test_a_change_that_is_sent_along_reaches_the_classifier(here: Room) -> None:
    """With texts, commits and labels."""
    change = {
        "base": "v1",
        "head": "v2",
        "files": [{"path": "db/2.sql", "status": "added", "added": 3, "after": "DROP TABLE x"}],
        "commits": [{"id": "c1", "author": "ada", "title": "Drop x"}],
        "labels": ["risky"],
        "complete": False,
    }
    await here.start(await here.token(), change=change)
    sent = here.assessor.sent

    assert sent is not None
    assert (sent.source, sent.complete, sent.labels) == ("sent along", False, ("risky",))
    assert sent.files[0].after == "DROP TABLE x"
    assert sent.authors == ("ada",)


async def test_who_is_spoken_for_is_recorded_with_the_token_that_spoke(here: Room) -> None:
    """So they do not count as an approver of it, nor does the token become them."""
    state = (await here.start(await here.token(), on_behalf_of="U0GRACE01")).json()

    assert state["started_by"] == {"id": "U0GRACE01", "name": "", "via": "token:ci"}


async def test_an_override_in_somebodys_name_takes_a_token_that_is_named(here: Room) -> None:
    """Whoever says they speak for an approver has only said so."""
    ci = await here.token()
    refused = await here.start(ci, override="hotfix", on_behalf_of="U0GRACE01")

    assert refused.status_code == 409
    assert "may not start shop in spite of a freeze" in refused.json()["detail"]


async def test_a_second_start_is_refused_with_the_live_one(here: Room) -> None:
    """409, and what to do."""
    ci = await here.token()
    await here.start(ci)
    second = await here.start(ci, revision="v3")

    assert second.status_code == 409
    assert second.headers["content-type"] == "application/problem+json"
    assert "shop has a live canary" in second.json()["detail"]


async def test_a_frozen_service_is_not_started(here: Room) -> None:
    """With who has frozen it, until when and why."""
    now = Now().now()
    by = Actor("U0ADA0001", "ada")
    await here.bot.service.freeze(Freeze("shop", by, "audit", now, now + timedelta(hours=1)))
    refused = await here.start(await here.token())

    assert refused.status_code == 409
    assert "frozen by ada" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"tier": "saef"}, "Did you mean safe"),
        ({"percnt": "5"}, "Did you mean percent"),
        ({"percent": "five"}, "percent"),
        ({"revision": ""}, "revision"),
        ({"change": {"base": "a", "head": "b", "fils": []}}, "Did you mean files"),
        ({"reason": "x" * 301}, "reason"),
    ],
)
async def test_a_mistake_is_named_with_what_would_be_right(
    here: Room, body: dict[str, Any], words: str
) -> None:
    """422, in a sentence."""
    refused = await here.start(await here.token(), **body)

    assert refused.status_code == 422
    assert words in refused.json()["detail"]
    assert refused.json()["next"]


async def test_the_same_key_and_body_is_the_same_canary(here: Room) -> None:
    """And says that it was told before; another token's key is another."""
    ci = await here.token() | {"Idempotency-Key": "run-1"}
    first, again = await here.start(ci), await here.start(ci)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    other = await here.token("other") | {"Idempotency-Key": "run-1"}
    assert (await here.start(other)).status_code == 409


async def test_the_same_key_with_another_body_is_refused(here: Room) -> None:
    """Nothing is started."""
    ci = await here.token() | {"Idempotency-Key": "run-1"}
    await here.start(ci)
    refused = await here.start(ci, revision="v3")

    assert refused.status_code == 422
    assert "another request" in refused.json()["detail"]


async def test_what_is_said_of_the_change_is_not_what_is_asked_for(here: Room) -> None:
    """Stable may have moved on when a job asks again, so its change begins elsewhere."""
    ci = await here.token() | {"Idempotency-Key": "run-1"}
    files = [{"path": "shop/a.py"}]
    first = await here.start(ci, change={"base": "v1", "head": "v2", "files": files})
    again = await here.start(ci, change={"base": "v2", "head": "v2"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]


async def test_of_two_at_once_one_starts_and_the_other_waits(
    here: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 with Retry-After while the first is under way; then the same canary."""
    entered, go_on = asyncio.Event(), asyncio.Event()
    launch = Launcher.launch

    async def slow(self: Launcher, wish: Wish) -> Canary | Refused:
        entered.set()
        await go_on.wait()
        return await launch(self, wish)

    monkeypatch.setattr(Launcher, "launch", slow)
    ci = await here.token() | {"Idempotency-Key": "run-1"}
    first = asyncio.create_task(here.start(ci))
    await entered.wait()
    second = await here.start(ci)
    go_on.set()

    assert second.status_code == 409
    assert int(second.headers["Retry-After"]) >= 1
    assert (await here.start(ci)).json()["id"] == (await first).json()["id"]


async def test_a_crash_after_the_start_leads_the_next_attempt_to_the_same_canary(
    here: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun and then cut off before the answer was kept: no second canary, and no refusal."""
    launch = Launcher.launch

    async def cut_off(self: Launcher, wish: Wish) -> Canary | Refused:
        await launch(self, wish)
        raise PortError("the answer was lost")

    ci = await here.token() | {"Idempotency-Key": "run-1"}
    with monkeypatch.context() as patch:
        patch.setattr(Launcher, "launch", cut_off)
        lost = await here.start(ci)
    again = await here.start(ci)
    live = await here.bot.service.all_live()

    assert lost.status_code == 503
    assert lost.headers["Retry-After"]
    assert again.status_code == 201
    assert [one.id for one in live] == [again.json()["id"]]


async def test_a_failure_before_the_start_is_not_kept(
    here: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt starts it."""

    async def away(self: Launcher, wish: Wish) -> Canary | Refused:
        raise RuntimeError("a bug")

    ci = await here.token() | {"Idempotency-Key": "run-1"}
    with monkeypatch.context() as patch:
        patch.setattr(Launcher, "launch", away)
        failed = await here.start(ci)
    again = await here.start(ci)

    assert failed.status_code == 500
    assert "bug" not in failed.text
    assert again.status_code == 201


async def test_a_refusal_is_not_kept(here: Room) -> None:
    """Once the live one has ended, the same request starts."""
    ci = await here.token()
    live = (await here.start(ci)).json()
    keyed = ci | {"Idempotency-Key": "run-2"}
    refused = await here.start(keyed, revision="v3")
    await here.http.post(f"/v1/canaries/{live['id']}/abort", headers=ci)
    await here.bot.until(live["id"], lambda canary: canary.is_ended)
    begun = await here.start(keyed, revision="v3")

    assert refused.status_code == 409
    assert begun.status_code == 201
