"""What a receiver of webhooks can rely on: who it is from, once or again, and never a secret."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from builders import NOON, a_canary
from code_hosts import kind
from servers import Reply, Web, free_port, web

from adapters.http import new_client
from adapters.publishing import exchange, make_subscribers
from adapters.publishing.signing import Signer
from bot.config.publishing import (
    DeploymentSettings,
    GithubSettings,
    GitlabSettings,
    WebhookSettings,
    subscribers_of,
)
from bot.core.effects import Milestone
from bot.ports import Declined, Notice, PortError, Subscriber

SECRET = "whsec_" + base64.b64encode(b"the secret of this receiver").decode()
OLD = "whsec_" + base64.b64encode(b"the secret it had until today").decode()
NOTICE = Notice(
    "shop-k3x9ab-3", 3, Milestone.ROLLED_BACK, NOON, "rolled back", a_canary(id="shop-k3x9ab")
)


@dataclass
class Standing:
    """A clock that is set by hand."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class Config:
    """What is configured."""

    webhooks: dict[str, WebhookSettings] = field(default_factory=dict)
    github: GithubSettings | None = None
    gitlab: GitlabSettings | None = None


@dataclass
class Rig:
    """A receiver, what has arrived, what it answers next, and the webhook that tells it."""

    web: Web
    clock: Standing
    bodies: list[bytes]
    replies: list[Reply]
    webhook: Subscriber

    @property
    def told(self) -> list[str]:
        return [json.loads(body)["type"] for body in self.bodies]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    bodies: list[bytes] = []
    replies: list[Reply] = []

    def answer(method: str, path: str, body: bytes) -> Reply:
        assert (method, path) == ("POST", "/in?key=s3cret")
        reply = replies.pop(0) if replies else (204, "text/plain", "")
        if reply[0] < 300:
            bodies.append(body)
        return reply

    clock = Standing()
    async with web(answer) as server, new_client() as http:
        settings = WebhookSettings(url=f"{server.url}/in?key=s3cret", secret_env="HOOK")
        config = Config({"team": settings})
        environment = {"HOOK": f"{SECRET} {OLD}"}
        made = make_subscribers(config, http, clock, environment)
        yield Rig(server, clock, bodies, replies, made["webhook:team"])


def verified(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """As a receiver does it: by the specification, with nothing of ours."""
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    key = base64.b64decode(secret[6:])
    mine = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    return f"v1,{mine}" in headers["webhook-signature"].split(" ")


def test_the_specifications_example_is_signed_as_it_says() -> None:
    """The vector that the reference libraries publish."""
    signer = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, tz=NOON.tzinfo)
    assert signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


async def test_what_arrives_is_signed_with_every_secret_that_is_valid(rig: Rig) -> None:
    """So that a receiver can change to the new one whenever it wants."""
    await rig.webhook.notify(NOTICE)

    (headers,), (body,) = rig.web.headers, rig.bodies
    assert verified(headers, body, SECRET)
    assert verified(headers, body, OLD)
    assert not verified(headers, body + b" ", SECRET)
    assert not verified({**headers, "webhook-timestamp": "1"}, body, SECRET)
    assert headers["content-type"] == "application/json"
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))


async def test_sent_again_it_has_the_same_id_and_a_new_moment(rig: Rig) -> None:
    """A receiver knows it again, and can still refuse what is old."""
    await rig.webhook.notify(NOTICE)
    rig.clock.at += timedelta(hours=1)
    await rig.webhook.notify(NOTICE)

    first, second = rig.web.headers
    assert first["webhook-id"] == second["webhook-id"] == "shop-k3x9ab-3"
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 3600


@pytest.mark.parametrize("name", ["shop.api-3", "läden-3", "a\r\nx: y", "", "\ud800", "x" * 500])
async def test_a_strange_id_becomes_one_without_dots_and_stays_the_same(
    rig: Rig, name: str
) -> None:
    """A dot would let one signature fit two messages; a line end would be another header."""
    await rig.webhook.notify(replace(NOTICE, id=name))
    await rig.webhook.notify(replace(NOTICE, id=name))

    first, second = rig.web.headers
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-id"].startswith("msg_")
    assert "x" not in first or first["x"] != "y"
    assert verified(first, rig.bodies[0], SECRET)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 302, 307])
async def test_what_may_pass_is_tried_again(rig: Rig, status: int) -> None:
    """It is a `PortError`, and the next attempt arrives."""
    rig.replies.append((status, "text/plain", "no"))
    with pytest.raises(PortError, match=f"webhook team .* answered {status}") as failed:
        await rig.webhook.notify(NOTICE)
    assert not isinstance(failed.value, Declined)
    await rig.webhook.notify(NOTICE)
    assert rig.told == ["canary.rolled_back"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 301, 308])
async def test_what_lasts_is_given_up(rig: Rig, status: int) -> None:
    """It is `Declined`, and says what to do about it."""
    rig.replies.append((status, "text/plain", "no"))
    with pytest.raises(Declined, match=rf"answered {status}.*(check|configur|compare)"):
        await rig.webhook.notify(NOTICE)


async def test_nothing_follows_a_redirect(rig: Rig) -> None:
    """What is signed is for one address."""
    others: list[str] = []

    def other(_method: str, path: str, _body: bytes) -> Reply:
        others.append(path)
        return 200, "text/plain", ""

    async with web(other) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            rig.replies.append((status, kind(location=f"{elsewhere.url}/stolen"), ""))
            with pytest.raises(PortError, match="redirect"):
                await rig.webhook.notify(NOTICE)
    assert others == []


async def test_a_receiver_that_wants_quiet_is_left_alone_for_so_long(rig: Rig) -> None:
    """It is not even asked meanwhile, and is asked after at most an hour."""
    rig.replies += [(503, kind(retry_after="120"), ""), (429, kind(retry_after="9" * 12), "")]
    for _ in range(2):
        with pytest.raises(PortError):
            await rig.webhook.notify(NOTICE)
    assert len(rig.web.asked) == 1
    rig.clock.at += timedelta(seconds=121)
    with pytest.raises(PortError, match="429"):
        await rig.webhook.notify(NOTICE)
    rig.clock.at += timedelta(hours=1)
    await rig.webhook.notify(NOTICE)
    assert len(rig.bodies) == 1


async def test_a_receiver_that_never_answers_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its answer is not waited for beyond the deadline."""
    monkeypatch.setattr(exchange, "DEADLINE", 0.2)
    taken: list[bytes] = []
    over = asyncio.Event()

    async def silent(_method: str, _path: str, body: bytes) -> Reply:
        taken.append(body)
        await over.wait()
        return 200, "text/plain", ""

    async with web(silent) as server, new_client() as http:
        settings = WebhookSettings(url=server.url, secret_env="HOOK")
        made = make_subscribers(Config({"team": settings}), http, Standing(), {"HOOK": SECRET})
        with pytest.raises(PortError, match=r"did not answer within 0\.2 s"):
            await made["webhook:team"].notify(NOTICE)
        over.set()
    assert len(taken) == 1


async def test_an_answers_body_is_never_read(rig: Rig) -> None:
    """However large: what counts is its status."""
    rig.replies.append((200, "text/plain", b"x" * 50_000_000))
    await rig.webhook.notify(NOTICE)
    assert rig.told == ["canary.rolled_back"]


async def test_only_what_was_asked_for_is_sent(rig: Rig) -> None:
    """Unless told otherwise that is waiting and every end; and the chosen services' only."""
    for milestone in Milestone:
        await rig.webhook.notify(replace(NOTICE, milestone=milestone))
    assert rig.told == [
        "canary.waiting", "canary.promoted", "canary.rolled_back", "canary.rejected",
    ]  # fmt: skip

    async with new_client() as http:
        url = f"{rig.web.url}/in?key=s3cret"
        one = WebhookSettings(url=url, secret_env="HOOK", events=("started",), services=("pay",))
        made = make_subscribers(Config({"a": one}), http, Standing(), {"HOOK": SECRET})
        for service in ("shop", "pay"):
            canary = a_canary(service=service)
            await made["webhook:a"].notify(
                replace(NOTICE, milestone=Milestone.STARTED, canary=canary)
            )
            await made["webhook:a"].notify(replace(NOTICE, canary=canary))
    assert json.loads(rig.bodies[-1])["data"]["service"] == "pay"
    assert len(rig.bodies) == 5


async def test_no_secret_is_ever_shown(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in an error's text, nor behind it, nor in what we log; of the address the host."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(exchange, "DEADLINE", 0.5)
    errors: list[BaseException] = []
    for status in (200, 302, 401, 404, 410, 429, 500):
        rig.replies.append((status, kind(location=f"{rig.web.url}/in?key=s3cret"), SECRET))
        try:
            await rig.webhook.notify(NOTICE)
        except PortError as error:
            errors.append(error)
    await rig.web.stop()
    with pytest.raises(PortError, match="cannot be reached") as failed:
        await rig.webhook.notify(NOTICE)
    for one in (*errors, failed.value):
        shown = f"{one!r} {one.__cause__!r}"
        assert one.__suppress_context__ or one.__context__ is None
        assert not any(secret in shown for secret in (SECRET[6:], OLD[6:], "s3cret"))
    lines = [line for line in caplog.records if not line.name.startswith(("httpx", "httpcore"))]
    assert not any(SECRET[6:] in record.getMessage() for record in caplog.records)
    assert not any("s3cret" in record.getMessage() for record in lines)


async def test_a_missing_or_wrong_secret_is_found_at_the_start() -> None:
    """All of them at once, each by its name and none with its value."""
    url = "https://hooks.example/x"
    hooks = {
        name: WebhookSettings(url=url, secret_env=name.upper())
        for name in ("none", "plain", "short", "odd", "latin")
    }
    deployments = {"shop": DeploymentSettings(repository="example/shop")}
    config = Config(hooks, GithubSettings(deployments=deployments))
    environment = {
        "PLAIN": "hunter22", "SHORT": "whsec_aHVudGVyMjI=", "ODD": "whsec_hunter22!",
        "LATIN": "whsec_hünter22", "GITHUB_TOKEN": "hunter22\nx",
    }  # fmt: skip
    async with new_client() as http:
        with pytest.raises(PortError) as failed:
            make_subscribers(config, http, Standing(), environment)
    lines = str(failed.value).splitlines()
    names = ["NONE", "PLAIN", "SHORT", "ODD", "LATIN", "GITHUB_TOKEN"]
    assert [line.split(" ")[0] for line in lines] == names
    assert "nter22" not in str(failed.value)


async def test_those_who_are_told_have_the_names_the_plan_keeps() -> None:
    """What the configuration calls them and what they are made under is the same."""
    deployments = {"shop": DeploymentSettings(repository="example/shop")}
    config = Config(
        {"team": WebhookSettings(url=f"http://127.0.0.1:{free_port()}", secret_env="HOOK")},
        GithubSettings(deployments=deployments),
        GitlabSettings(deployments=deployments),
    )
    environment = {"HOOK": SECRET, "GITHUB_TOKEN": "t", "GITLAB_TOKEN": "t"}
    async with new_client() as http:
        made = make_subscribers(config, http, Standing(), environment)
    assert tuple(made) == subscribers_of("shop", config.webhooks, config.github, config.gitlab)
