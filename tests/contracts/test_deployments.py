"""What a code host shows of a canary: one deployment, how it went, and nothing twice."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import httpx
import pytest
from builders import ADA, NOON, a_canary, a_plan
from code_hosts import Github, Gitlab, answer
from servers import Web, web

from adapters.http import new_client
from adapters.publishing.github_deployments import GithubDeployments
from adapters.publishing.gitlab_deployments import GitlabDeployments
from bot.config.publishing import DeploymentSettings, GithubSettings, GitlabSettings
from bot.core.canary import Cause, RolledBack
from bot.core.effects import Milestone
from bot.core.plan import Dashboard
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health
from bot.ports import Declined, Notice, PortError

TOKEN = "ghp_s3cretS3cret"
SLOW = Finding(Sli.P95, Health.BREACHED, chance=0.001, reason="slow")
CAUSE = Cause("breach", "three times as slow as stable " * 10, findings=(SLOW,))
BACK = RolledBack(CAUSE, NOON, timedelta(seconds=2))


@dataclass
class Standing:
    """A clock that is set by hand."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class Rig:
    """GitHub, who tells it, and a second replica that has just started."""

    github: Github
    web: Web
    http: httpx.AsyncClient
    settings: GithubSettings
    clock: Standing = field(default_factory=Standing)

    def replica(self) -> GithubDeployments:
        return GithubDeployments(self.settings, TOKEN, self.http, self.clock)


def a_notice(milestone: Milestone, number: int = 1, **changes: object) -> Notice:
    detail = str(changes.pop("detail", f"it is {milestone.value}"))
    canary = a_canary(**changes)
    return Notice(f"{canary.id}-{number}", number, milestone, NOON, detail, canary)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    github = Github(TOKEN)
    shop = DeploymentSettings(
        repository="example/shop", environment_url="https://shop.example/?v={revision}"
    )
    async with web(github) as server, new_client() as http:
        github.web = server
        yield Rig(github, server, http, GithubSettings(url=server.url, deployments={"shop": shop}))


async def test_a_canary_is_one_deployment_with_a_status_for_each_milestone(rig: Rig) -> None:
    """In GitHub's words, without checks of its own and without a merge."""
    replica = rig.replica()
    for number, milestone in enumerate(Milestone):
        await replica.notify(a_notice(milestone, number))

    (made,) = rig.github.deployments
    assert made["payload"]["canary_id"] == "shop-k3x9ab"
    assert (made["ref"], made["environment"]) == ("v2", "production")
    assert rig.github.statuses() == [
        "in_progress", "pending", "in_progress", "pending", "in_progress", "in_progress",
        "success", "failure", "error",
    ]  # fmt: skip
    assert [body["auto_inactive"] for _, body in rig.github.posted].count(True) == 1
    assert rig.github.posted[0][1]["environment_url"] == "https://shop.example/?v=v2"
    assert rig.web.headers[-1]["x-github-api-version"] == "2022-11-28"


@pytest.mark.parametrize("as_text", [False, True])
async def test_another_replica_finds_the_deployment_and_says_nothing_twice(
    rig: Rig, as_text: bool
) -> None:
    """Whether GitHub gives the payload back as an object or as text."""
    rig.github.payload_as_text = as_text
    for replica in (rig.replica(), rig.replica()):
        await replica.notify(a_notice(Milestone.OBSERVING))
        await replica.notify(a_notice(Milestone.OBSERVING))
    await rig.replica().notify(a_notice(Milestone.PROMOTED, 2))

    assert len(rig.github.deployments) == 1
    assert rig.github.statuses() == ["in_progress", "success"]


async def test_a_lost_answer_makes_no_second_deployment_and_no_second_status(rig: Rig) -> None:
    """What was taken is found again at the next attempt."""
    replica, notice = rig.replica(), a_notice(Milestone.OBSERVING)
    failures = 0
    rig.github.lost = 2
    while rig.github.lost:
        with pytest.raises(PortError, match="502"):
            await replica.notify(notice)
        failures += 1
    await replica.notify(notice)

    assert failures == 2
    assert len(rig.github.deployments) == 1
    assert rig.github.statuses() == ["in_progress"]


async def test_what_is_overtaken_is_not_said_any_more(rig: Rig) -> None:
    """A late notice does not bring an ended deployment back."""
    replica = rig.replica()
    await replica.notify(a_notice(Milestone.PROMOTED, 5))
    await replica.notify(a_notice(Milestone.OBSERVING, 3))
    assert rig.github.statuses() == ["success"]


async def test_two_canaries_of_one_revision_are_two_deployments(rig: Rig) -> None:
    """A revision that was rolled back may be tried again."""
    replica = rig.replica()
    await replica.notify(a_notice(Milestone.ROLLED_BACK))
    await replica.notify(a_notice(Milestone.OBSERVING, id="shop-second"))
    ids = [one["payload"]["canary_id"] for one in rig.github.deployments]
    assert ids == ["shop-k3x9ab", "shop-second"]


async def test_an_undone_promotion_fails_the_deployment_it_undoes(rig: Rig) -> None:
    """It is the same deployment that people look at."""
    await rig.replica().notify(a_notice(Milestone.PROMOTED, 6))
    undo = a_notice(
        Milestone.ROLLED_BACK,
        2,
        id="shop-undo99",
        undoes="shop-k3x9ab",
        phase=RolledBack(Cause("undo", "undone by ada", ADA), NOON, timedelta(seconds=1)),
    )
    await rig.replica().notify(undo)

    assert len(rig.github.deployments) == 1
    assert rig.github.statuses() == ["success", "failure"]
    assert rig.github.posted[-1][1]["description"] == "Rolled back: undone by ada"


async def test_a_rollback_names_its_objective_within_140_characters(rig: Rig) -> None:
    """On one line, whatever people and numbers have to say."""
    await rig.replica().notify(a_notice(Milestone.ROLLED_BACK, phase=BACK))
    ((_, status),) = rig.github.posted
    assert status["description"].startswith("Rolled back: latency_p95: three times as slow")
    assert len(status["description"]) == 140


async def test_strange_words_are_told_in_a_shape_that_github_takes(rig: Rig) -> None:
    """Unicode, line ends, half characters; and links with them in it."""
    rig.github.refs.add("läden/🛒 v2&x=1")
    plan = a_plan(dashboards=(Dashboard("G", "https://g.example/{service}/{revision}"),))
    await rig.replica().notify(
        a_notice(
            Milestone.OBSERVING,
            revision="läden/🛒 v2&x=1",
            plan=plan,
            detail="a\r\nb\x00 🛒\ud800",
        )
    )
    await rig.replica().notify(a_notice(Milestone.PROMOTED, 2, revision="läden/🛒 v2&x=1"))

    assert len(rig.github.deployments) == 1
    status = rig.github.posted[0][1]
    assert status["description"] == "a b 🛒?"
    assert status["log_url"] == "https://g.example/shop/l%C3%A4den%2F%F0%9F%9B%92%20v2%26x%3D1"


async def test_a_service_without_a_repository_is_nobodys_business(rig: Rig) -> None:
    """GitHub is not asked."""
    await rig.replica().notify(a_notice(Milestone.PROMOTED, service="pay"))
    assert rig.web.asked == []


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, {"message": "Bad credentials"}, "renew GITHUB_TOKEN"),
        (403, {"message": "Resource not accessible by personal access token"}, "write deploy"),
        (404, {"message": "Not Found"}, "example/shop.*check the repository's name"),
        (422, {"message": "Validation Failed", "errors": [{"message": "odd"}]}, r"odd\): check"),
        (409, ["not what it should be"], "check the configured ref"),
        (301, {"message": "Moved Permanently"}, "configure its new name"),
        (418, {}, "418"),
    ],
)
async def test_what_lasts_is_given_up_with_a_sentence(
    rig: Rig, status: int, body: object, says: str
) -> None:
    """It says whom to ask and what to change."""
    rig.github.instead.append(answer(status, body, location=rig.web.url))
    with pytest.raises(Declined, match=says):
        await rig.replica().notify(a_notice(Milestone.OBSERVING))
    assert len(rig.web.asked) == 1


async def test_a_revision_that_github_does_not_know_is_given_up(rig: Rig) -> None:
    """And said so, with the ref that was asked for."""
    with pytest.raises(Declined, match=r"example/shop, ref v9.*No ref found for: v9"):
        await rig.replica().notify(a_notice(Milestone.OBSERVING, revision="v9"))


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, {"retry_after": "30"}, "no", 30),
        (429, {}, "no", 60),
        (403, {}, "You have exceeded a secondary rate limit", 60),
        (
            403,
            {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(NOON.timestamp()) + 90)},
            "API rate limit exceeded",
            91,
        ),
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "never"}, "no", 60),
        (503, {"retry_after": "Mon, 02 Mar 2026 12:00:20 GMT"}, "no", 20),
    ],
)
async def test_a_limit_passes_and_is_kept_meanwhile(
    rig: Rig, status: int, headers: dict[str, str], message: str, seconds: int
) -> None:
    """Asking on while limited may get a token banned."""
    replica, notice = rig.replica(), a_notice(Milestone.OBSERVING)
    rig.github.instead.append(answer(status, {"message": message}, **headers))
    for wait in (0, seconds - 1):
        rig.clock.at = NOON + timedelta(seconds=wait)
        with pytest.raises(PortError) as failed:
            await replica.notify(notice)
        assert not isinstance(failed.value, Declined)
    assert len(rig.web.asked) == 1
    rig.clock.at = NOON + timedelta(seconds=seconds)
    await replica.notify(notice)
    assert rig.github.statuses() == ["in_progress"]


async def test_an_answer_that_is_no_answer_is_tried_again(rig: Rig) -> None:
    """A page of a proxy, or JSON of another shape."""
    for instead in ((200, "text/html", "<html>"), (200, "a/b", b"x" * 5_000_000)):
        rig.github.instead.append(instead)
        with pytest.raises(PortError, match="check that"):
            await rig.replica().notify(a_notice(Milestone.OBSERVING))
    rig.github.instead += [answer(200, {"odd": 1}), answer(201, [])]
    with pytest.raises(PortError, match="made no deployment"):
        await rig.replica().notify(a_notice(Milestone.OBSERVING))


async def test_the_token_is_never_shown(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in an error's text nor in what is logged, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    failures: list[str] = []
    for status in (301, 401, 403, 404, 422, 429, 500):
        rig.github.instead.append(answer(status, {"message": "no"}, location=rig.web.url))
        with pytest.raises(PortError) as failed:
            await rig.replica().notify(a_notice(Milestone.OBSERVING))
        failures.append(f"{failed.value!r}")
    await rig.web.stop()
    with pytest.raises(PortError, match="cannot be reached") as failed:
        await rig.replica().notify(a_notice(Milestone.OBSERVING))
    assert TOKEN not in "".join([*failures, repr(failed.value), caplog.text])


async def test_gitlab_shows_one_deployment_that_ends_as_the_canary_does() -> None:
    """Found again by another replica, and after an answer was lost."""
    gitlab = Gitlab(TOKEN)
    shop = DeploymentSettings(repository="example/team/shop")
    async with web(gitlab) as server, new_client() as http:
        gitlab.web = server
        settings = GitlabSettings(url=f"{server.url}/api/v4", deployments={"shop": shop})

        def replica() -> GitlabDeployments:
            return GitlabDeployments(settings, TOKEN, http, Standing())

        one = replica()
        gitlab.deployments += [  # an earlier canary's, and one of a pipeline of GitLab's own
            {"id": 1, "sha": "a" * 40, "created_at": "2026-03-01T12:00:00.000Z",
             "deployable": None, "status": "success"},
            {"id": 2, "sha": "a" * 40, "created_at": "2026-03-02T12:00:00.000Z",
             "deployable": {"id": 9}, "status": "running"},
        ]  # fmt: skip
        gitlab.lost = 2
        with pytest.raises(PortError, match="502"):
            await one.notify(a_notice(Milestone.STARTED))
        for milestone in (Milestone.STARTED, Milestone.WAITING, Milestone.OBSERVING):
            await one.notify(a_notice(milestone))
        with pytest.raises(PortError, match="502"):
            await one.notify(a_notice(Milestone.PROMOTED))
        for teller in (one, replica()):
            await teller.notify(a_notice(Milestone.PROMOTED))
        assert [made["status"] for made in gitlab.deployments] == ["success", "running", "success"]

        undo = a_notice(Milestone.ROLLING_BACK, id="shop-undo99", undoes="shop-k3x9ab")
        await replica().notify(undo)
        await replica().notify(replace(undo, milestone=Milestone.ROLLED_BACK))
        assert [made["status"] for made in gitlab.deployments] == ["success", "running", "failed"]
        with pytest.raises(Declined, match="ref v9"):
            await replica().notify(a_notice(Milestone.STARTED, revision="v9"))
