"""The API on a real store: against generated requests, two replicas, a crash, and plain curl."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from redis_server import REDIS, VALKEY, RedisServer
from unit.api.apiroom import Planner, Room, room
from world import Now, Outside

from adapters.stores.access import RedisOnce, RedisRates, RedisTokens
from adapters.stores.connection import Link
from adapters.stores.redis import RedisStore
from bot.client.snippets import snippet

pytestmark = pytest.mark.e2e
KINDS = [VALKEY, pytest.param(REDIS, marks=pytest.mark.external_service)]
VALKEY_ONLY: Final = pytest.mark.parametrize("redis", [VALKEY], indirect=True)
EXAMPLES: Final = 12
"""Per operation and kind of check; more find more, in more time."""


CONFIG: Final = """
[parameters]
"path.canary_id" = "{canary_id}"
"path.scope" = "shop"

# What these say depends on more than its shape: on the configured plans, on what the same key was
# used for, on the time of day. Elsewhere what is valid must be taken.
[[operations]]
include-path-regex = "^/v1/(canaries|freezes|canaries/[^/]+/(pause|extend))$"
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 422]
"""


@pytest.fixture(params=KINDS)
def redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(request.param, tmp_path)
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def replica(
    url: str, outside: Outside | None = None, planner: Planner | None = None, **settings: Any
) -> AsyncIterator[Room]:
    """One replica's API on this store."""
    link, clock, store = Link(url), Now(), RedisStore(url)
    access = RedisTokens(link), RedisOnce(link, clock), RedisRates(link, clock)
    try:
        async with room(
            store=store, access=access, outside=outside, planner=planner, **settings
        ) as made:
            yield made
    finally:
        await link.aclose()
        await store.aclose()


@dataclass
class Done:
    """How a program ended, and what it printed."""

    code: int
    text: str


async def program(*words: str, folder: Path, **env: str) -> Done:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return Done(process.returncode or 0, out.decode())


async def schemathesis(here: Room, folder: Path, *options: str) -> Done:
    """Send generated requests to the running server, right ones and wrong ones, and check all."""
    url = f"{here.http.base_url}/openapi.json"
    program_ = str(Path(sys.executable).with_name("st"))
    limits = ("--max-examples", str(EXAMPLES), "--seed", "7", "--no-color", "--checks", "all")
    leave = ("--exclude-path-regex", "/events$")  # a stream has no end that could be waited for
    return await program(program_, "run", url, *limits, *leave, *options, folder=folder)


@VALKEY_ONLY
async def test_generated_requests_find_no_fault(redis: RedisServer, tmp_path: Path) -> None:
    """Every answer is one that the OpenAPI document promises, and none is a 500."""
    async with replica(redis.url, longest_wait="1s") as here:
        token = await here.token()
        begun = (await here.start(token)).json()
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIG.format(canary_id=begun["id"]))
        sent = f"Authorization: {token['Authorization']}"
        done = await schemathesis(here, tmp_path, "--header", sent)

    assert done.code == 0, done.text[-6000:]


@VALKEY_ONLY
async def test_generated_requests_without_a_token_learn_nothing(
    redis: RedisServer, tmp_path: Path
) -> None:
    """Whatever is asked, the answer is 401."""
    async with replica(redis.url) as here:
        done = await schemathesis(here, tmp_path, "--phases", "examples,coverage")
        assert await here.bot.service.recent(None, 10) == ()

    assert "Server error" not in done.text, done.text[-6000:]
    assert "Undocumented" not in done.text, done.text[-6000:]


async def test_two_replicas_share_tokens_answers_and_rates(redis: RedisServer) -> None:
    """What one has started under a key, the other one answers with; the rate is one."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(replica(redis.url, rate="5/h"))
        two = await stack.enter_async_context(replica(redis.url, rate="5/h"))
        token = await one.token() | {"Idempotency-Key": "run-1"}
        first = await one.start(token)
        again = await two.start(token)
        rest = [await where.http.get("/v1/services", headers=token) for where in (one, two) * 2]

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [each.status_code for each in rest] == [200, 200, 200, 429]


async def test_a_key_that_is_sent_to_two_replicas_at_once_starts_one_canary(
    redis: RedisServer,
) -> None:
    """Twenty requests; whoever is not answered with the canary is told to ask again."""
    async with AsyncExitStack() as stack:
        outside = Outside()
        one = await stack.enter_async_context(replica(redis.url, outside=outside))
        two = await stack.enter_async_context(replica(redis.url, outside=outside))
        token = await one.token() | {"Idempotency-Key": "run-1"}
        answers = await asyncio.gather(*(each.start(token) for each in (one, two) * 10))
        last = await two.start(token)
        canaries = await one.bot.service.recent("shop", 10)

    assert {each.status_code for each in answers} <= {201, 409}
    told = {each.json()["id"] for each in answers if each.status_code == 201}
    assert told == {last.json()["id"]} == {canary.id for canary in canaries}
    assert all("Retry-After" in each.headers for each in answers if each.status_code == 409)


async def test_a_store_that_is_away_is_503_and_then_everything_goes_on(redis: RedisServer) -> None:
    """With Retry-After; nobody has to start anything anew."""
    async with replica(redis.url) as here:
        token = await here.token()
        assert (await here.http.get("/v1/services", headers=token)).status_code == 200
        redis.kill()
        away = await here.start(token)
        redis.start()
        async with asyncio.timeout(20):
            while (await here.start(token)).status_code != 201:
                await asyncio.sleep(0.2)

    assert away.status_code == 503
    assert away.headers["Retry-After"]
    assert "cannot reach its store" in away.json()["detail"]


async def test_the_curl_snippet_starts_waits_and_ends_as_the_canary_does(
    redis: RedisServer, tmp_path: Path
) -> None:
    """0 promoted, 10 rolled back, 1 not started; the token stands on no command line."""
    script = tmp_path / "canary.sh"
    script.write_text(snippet("curl"))

    async def run(here: Room, token: dict[str, str], *words: str) -> Done:
        secret = token["Authorization"].partition(" ")[2]
        env = {"CANARY_SERVER": str(here.http.base_url), "CANARY_TOKEN": secret}
        return await program("bash", str(script), *words, folder=tmp_path, **env)

    quick = Planner(window=timedelta(milliseconds=300))
    async with replica(redis.url, planner=quick) as here:
        token = await here.token()
        promoted = await run(here, token, "shop", "v2")
        unknown = await run(here, token, "shap", "v2")
    slow, failing = Planner(window=timedelta(seconds=20)), Outside(error_rate=0.5)
    async with replica(redis.url, outside=failing, planner=slow) as here:
        token = await here.token("second")
        rolled_back = await run(here, token, "shop", "v2")

    assert promoted.code == 0, promoted.text
    assert "was promoted" in promoted.text
    assert unknown.code == 1
    assert "Did you mean shop" in unknown.text
    assert rolled_back.code == 10, rolled_back.text
