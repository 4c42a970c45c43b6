"""Who gets in, how often, and what a wrong request learns."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from unit.api.apiroom import Room, room
from world import Now

from bot.api.bodies import Message, Receive, Scope, Send
from bot.api.doorkeeper import Access, Doorkeeper
from bot.api.entrance import Entrance
from bot.api.problems import Problem
from bot.api.secrets import PREFIX, digest, draw, is_whole
from bot.config.api import ApiSettings
from bot.ports import PortError
from bot.ports.access import Key, Token


@pytest.fixture
async def here() -> AsyncIterator[Room]:
    async with room() as made:
        yield made


def test_a_secret_is_long_and_a_slip_in_it_is_seen() -> None:
    """Cut, extended, with one letter wrong, or something else altogether."""
    secret = draw()

    assert secret.startswith(PREFIX)
    assert len(secret) >= 48
    assert draw() != secret
    assert is_whole(secret)
    wrong = (
        secret[:-1],
        secret + "a",
        secret.replace(secret[9], "_", 1),
        "",
        "cnry_",
        "xoxb-1",
        "ü",
    )
    assert not any(is_whole(each) for each in wrong if each != secret)


async def test_without_a_token_nothing_is_told(here: Room) -> None:
    """401 with a challenge, for every path under /v1, those that do not exist too."""
    for path in ("/v1/services", "/v1/canaries/shop-1", "/v1/nothing"):
        refused = await here.http.get(path)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert refused.json()["next"]


@pytest.mark.parametrize("sent", ["Basic YTpi", "Bearer", "Bearer cnry_cut", "cnry_naked"])
async def test_what_is_no_token_is_told_apart(here: Room, sent: str) -> None:
    """And nothing of it comes back."""
    refused = await here.http.get("/v1/services", headers={"Authorization": sent})

    assert refused.status_code == 401
    assert "cnry_cut" not in refused.text
    assert "cnry_naked" not in refused.text


async def test_a_token_is_known_at_once_and_forgotten_within_seconds(here: Room) -> None:
    """Without a restart."""
    ci = await here.token()
    assert (await here.http.get("/v1/services", headers=ci)).status_code == 200
    await here.tokens.revoke("ci")

    async with asyncio.timeout(6):
        while (await here.http.get("/v1/services", headers=ci)).status_code != 401:
            await asyncio.sleep(0.1)


async def test_an_expired_token_and_a_rotated_one_are_none(here: Room) -> None:
    """A rotated one counts until its grace is over."""
    now, old, new, gone = Now().now(), draw(), draw(), draw()
    past, later = now - timedelta(seconds=1), now + timedelta(hours=1)
    keys = (Key(digest(new)), Key(digest(old), later), Key(digest(gone), past))
    await here.tokens.add(Token("ci", ("read",), ("shop",), now, keys))
    dead = await here.token("dead", expires_at=past)

    async def status(secret: str) -> int:
        sent = {"Authorization": f"Bearer {secret}"}
        return (await here.http.get("/v1/services", headers=sent)).status_code

    assert [await status(each) for each in (new, old, gone)] == [200, 200, 401]
    assert (await here.http.get("/v1/services", headers=dead)).status_code == 401


async def test_a_missing_permission_is_named(here: Room) -> None:
    """403, with what the token may and what this takes."""
    reader = await here.token("reader", permissions=("read",))
    refused = await here.start(reader)

    assert refused.status_code == 403
    assert "may read, and this needs start" in refused.json()["detail"]
    assert await here.bot.service.all_live() == ()


async def test_a_service_that_is_not_the_tokens_does_not_exist_for_it(here: Room) -> None:
    """Neither by name, nor by its canaries, nor in a list, nor as a guess."""
    everything, cart = await here.token(), await here.token("cart", services=("cart",))
    begun = (await here.start(everything)).json()
    answers = [
        await here.start(cart),
        await here.http.get(f"/v1/canaries/{begun['id']}", headers=cart),
        await here.http.post(f"/v1/canaries/{begun['id']}/abort", headers=cart),
        await here.http.get("/v1/canaries?service=shop", headers=cart),
        await here.http.post(
            "/v1/classify", json={"service": "shop", "revision": "v"}, headers=cart
        ),
        await here.http.post("/v1/freezes", json={"scope": "shop"}, headers=cart),
    ]
    unknown = await here.start(cart, service="shap")

    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].json() == {
        **unknown.json(),
        "detail": unknown.json()["detail"].replace("shap", "shop"),
    }
    assert "known: cart." in answers[0].json()["detail"]
    listed = (await here.http.get("/v1/canaries", headers=cart)).json()
    live = (await here.http.get("/v1/canaries?live=true", headers=cart)).json()
    services = (await here.http.get("/v1/services", headers=cart)).json()
    assert listed == live == {"canaries": []}
    assert [one["name"] for one in services["services"]] == ["cart"]


async def test_a_rate_that_is_used_up_says_when_to_come_back_and_aborts_still_count() -> None:
    """429 for all but aborts, which have a rate of their own."""
    async with room(rate="2/h") as here:
        ci = await here.token()
        begun = await here.start(ci)
        await here.http.get("/v1/services", headers=ci)
        refused = await here.http.get("/v1/services", headers=ci)
        aborted = await here.http.post(f"/v1/canaries/{begun.json()['id']}/abort", headers=ci)

        assert begun.headers["RateLimit-Policy"] == '"default";q=2;w=3600'
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 60
        assert refused.headers["RateLimit"].startswith('"default";r=0')
        assert aborted.status_code == 200


async def test_wrong_tokens_are_counted_by_address_and_right_ones_still_pass() -> None:
    """Whoever guesses is slowed down, and nobody is locked out."""
    async with room(failed_rate="3/h") as here:
        ci = await here.token()
        wrong = {"Authorization": f"Bearer {draw()}"}
        statuses = [
            (await here.http.get("/v1/services", headers=wrong)).status_code for _ in range(5)
        ]

        assert statuses == [401, 401, 401, 429, 429]
        assert (await here.http.get("/v1/services", headers=ci)).status_code == 200


class _Away:
    """A store that is away, but for one look."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self.tokens: tuple[Token, ...] | None = tokens

    async def all(self) -> tuple[Token, ...]:
        if self.tokens is None:
            raise PortError("Redis cannot be reached")
        return self.tokens

    async def touch(self, *_: object) -> None:
        raise PortError("Redis cannot be reached")

    async def take(self, *_: object) -> None:
        raise PortError("Redis cannot be reached")


async def test_an_abort_does_not_wait_for_a_store_that_is_away() -> None:
    """Whoever was known a moment ago may still make things safer; all else waits."""
    secret, now = draw(), Now()
    token = Token("ci", ("abort",), ("shop",), now.now(), (Key(digest(secret)),))
    store = _Away((token,))
    keeper = Doorkeeper(Access(store, store), now, ApiSettings())  # type: ignore[arg-type] # only what is called
    caller = await keeper.admit(f"Bearer {secret}", "::1", urgent=True)
    store.tokens = None
    keeper._seen_at = now.now() - timedelta(minutes=10)

    assert (await keeper.admit(f"Bearer {secret}", "::1", urgent=True)).token == caller.token
    assert await keeper.count(caller, urgent=True) == {}
    with pytest.raises(PortError):
        await keeper.admit(f"Bearer {secret}", "::1", urgent=False)
    keeper._known = (replace(token, expires_at=now.now()),)
    with pytest.raises((Problem, PortError)):
        await keeper.admit(f"Bearer {secret}", "::1", urgent=True)


class _Slow:
    """A doorkeeper that takes its time."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def admit(self, *_: object, **__: object) -> str:
        await self.go.wait()
        return "caller"

    async def count(self, *_: object, **__: object) -> dict[str, str]:
        return {}


async def test_a_slow_store_holds_up_so_many_and_never_an_abort(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is more is told to come back; what needs no token does not wait at all."""
    monkeypatch.setattr("bot.api.entrance.MOST_ENTERING", 2)
    served: list[str] = []
    told: list[int] = []
    door = _Slow()

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        served.append(scope["path"])

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    entrance = Entrance(app, door)  # type: ignore[arg-type] # only what is called

    async def ask(method: str, path: str) -> None:
        await entrance(
            {"type": "http", "method": method, "path": path, "headers": []}, receive, send
        )

    held = [asyncio.create_task(ask("GET", f"/v1/{name}")) for name in "ab"]
    held.append(asyncio.create_task(ask("POST", "/v1/canaries/shop-1/abort")))
    await asyncio.sleep(0)
    await ask("GET", "/v1/c")
    await ask("GET", "/healthz")

    assert (told, served) == ([503], ["/healthz"])
    door.go.set()
    await asyncio.gather(*held)
    await ask("GET", "/v1/c")
    assert sorted(served) == [
        "/healthz", "/v1/a", "/v1/b", "/v1/c", "/v1/canaries/shop-1/abort",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"service": "shop"', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 30 + b"1" + b"}" * 30, 400),
        (b'{"service": "shop", "revision": ' + b"9" * 6000 + b"}", 400),
        (b'{"service": "shop", "revision": "\\ud800"}', 422),
        (b"\xff\xfe", 400),
        (b"null", 422),
        (b"", 422),
        (b'"' + b"x" * 1024 * 1024 + b'"', 413),
    ],
)
async def test_a_hostile_body_is_a_problem_and_no_fault(
    here: Room, body: bytes, status: int
) -> None:
    """Never a 500, and never a traceback."""
    headers = await here.token() | {"Content-Type": "application/json"}
    refused = await here.http.post("/v1/canaries", content=body, headers=headers)

    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == status


async def test_headers_tell_nothing_of_the_server_and_forbid_keeping(here: Room) -> None:
    """No banner, no CORS, no cache."""
    answer = await here.http.get(
        "/v1/services", headers=await here.token() | {"Origin": "http://x"}
    )

    assert "server" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_openapi_document_is_there_for_everybody_and_no_page_is(here: Room) -> None:
    """The pages of the framework load from other hosts."""
    document = (await here.http.get("/openapi.json")).json()

    assert "/v1/canaries/{canary_id}/abort" in document["paths"]
    assert "ProblemBody" in document["components"]["schemas"]
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert (await here.http.get("/docs")).status_code == 404
    assert (await here.http.put("/openapi.json")).status_code == 405
