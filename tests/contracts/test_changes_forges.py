"""What holds of every source that asks a code host: it is patient, bounded and keeps its token."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.changes_benches import (
    TOKEN_NAME,
    Bench,
    bench_of,
    by_path,
    everything,
    nothing,
    seen,
    unseen,
    with_token,
)
from contracts.forge_server import TOKEN, Says, serving
from contracts.forges import GitLab
from contracts.histories import History, shop
from pydantic import ValidationError
from servers import free_port, wait_until

from adapters.changes.asking import AT_ONCE, ATTEMPTS
from adapters.changes.github import GitHubOptions
from adapters.changes.gitlab import GitLabOptions


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> History:
    return shop(tmp_path_factory.mktemp("original") / "shop")


@pytest.fixture(params=["github", "gitlab"])
async def bench(
    request: pytest.FixtureRequest,
    original: History,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Bench]:
    with_token(monkeypatch)
    async with bench_of(request.param, original.copied(tmp_path / "shop")) as bench:
        yield bench


async def test_a_second_answer_is_not_asked_for(bench: Bench) -> None:
    """The same change again costs no request, whatever of its texts is wanted the second time."""
    source = bench.make()
    first = await source.compare("v1", "v2", everything)
    asked = len(bench.host.asked)
    assert await source.compare("v1", "v2", everything) == first
    fewer = seen(await source.compare("v1", "v2", lambda path: path.endswith(".sql")))
    assert len(bench.host.asked) == asked
    assert by_path(fewer)["db/2.sql"].after is not None


async def test_the_same_question_is_asked_once_at_a_time(bench: Bench) -> None:
    """Whoever asks meanwhile waits for that answer, and all are told the same."""
    source = bench.make()
    bench.host.gate.clear()
    several = [asyncio.ensure_future(source.compare("v1", "v2", everything)) for _ in range(5)]
    await wait_until(lambda: bool(bench.host.asked), "it is asked")
    bench.host.gate.set()
    told = await asyncio.gather(*several)
    alone = bench.make()
    asked = len(bench.host.asked)
    await alone.compare("v1", "v2", everything)
    assert all(one == told[0] for one in told)
    assert asked == len(bench.host.asked) - asked


async def test_few_requests_are_under_way_at_once(bench: Bench) -> None:
    """However many files are wanted."""
    many = {f"app/{number}.py": f"{number}\n" for number in range(70)}
    bench.history.commit(many, "many", tag="v3")
    change = seen(await bench.make().compare("v2", "v3", everything))
    assert len(change.files) == 70
    assert sum(file.after is not None for file in change.files) == 60
    assert bench.host.most <= AT_ONCE


async def test_a_short_trouble_is_tried_again(bench: Bench) -> None:
    """An error of the host's, and a limit that is over at once."""
    bench.host.instead = [
        Says(500, {"message": "oops"}),
        Says(502, b"<html>"),
        Says(429, {"message": "slow down"}, {"retry-after": "0"}),
        Says(on_status(bench), {"message": "secondary rate limit"}, {"retry-after": "0"}),
    ]
    change = seen(await bench.make().compare("v1", "v2", nothing))
    assert len(change.files) == 5


def on_status(bench: Bench) -> int:
    """How the host says that it is asked too often."""
    return 403 if bench.kind == "github" else 429


async def test_a_lasting_trouble_is_unseen(bench: Bench) -> None:
    """After a few attempts, with what the host said."""
    bench.host.instead = [Says(503, {"message": "maintenance"})] * 2 * ATTEMPTS
    reason = unseen(await bench.make().compare("v1", "v2", nothing))
    assert "answered 503 (maintenance)" in reason


@pytest.mark.parametrize("headers", [{"retry-after": "3600"}, {"x-ratelimit-remaining": "0"}])
async def test_a_long_limit_is_told_at_once(bench: Bench, headers: dict[str, str]) -> None:
    """Until when; nobody waits for what cannot come in time."""
    says = Says(on_status(bench), {"message": "API rate limit exceeded"}, headers)
    bench.host.instead = [says] * 4
    reason = unseen(await bench.make().compare("v1", "v2", nothing))
    assert "refuses until" in reason
    assert len(bench.host.asked) <= 2


async def test_a_token_that_is_not_accepted_is_named_not_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not tried again."""
    monkeypatch.setenv(TOKEN_NAME, "another-s3cret")
    reason = unseen(await bench.make().compare("v1", "v2", nothing))
    assert f"the token in ${TOKEN_NAME} is not accepted" in reason
    assert "s3cret" not in reason
    assert len(bench.host.asked) <= 2


async def test_a_repository_that_is_not_there_is_told_apart(bench: Bench) -> None:
    """From a revision that is not there; a right that is missing looks the same."""
    source = bench.make(repository="acme/other")
    reason = unseen(await source.compare("v1", "v2", nothing))
    assert "acme/other is not there, or the token" in reason


async def test_a_host_that_is_away_is_unseen(bench: Bench) -> None:
    """With its name, and no token."""
    source = bench.make(url=f"http://127.0.0.1:{free_port()}")
    reason = unseen(await source.compare("v1", "v2", nothing))
    assert "127.0.0.1 cannot be reached" in reason
    assert TOKEN not in reason


async def test_a_slow_host_costs_no_more_than_the_patience(bench: Bench) -> None:
    """Then it says so."""
    bench.host.gate.clear()
    source = bench.make(patience="300ms")
    reason = unseen(await source.compare("v1", "v2", nothing))
    assert "did not tell within 0.3 s" in reason


async def test_a_cancelled_question_leaves_the_source_usable(bench: Bench) -> None:
    """The next one asks again and is answered."""
    source = bench.make()
    bench.host.gate.clear()
    asking = asyncio.ensure_future(source.compare("v1", "v2", nothing))
    await wait_until(lambda: bool(bench.host.asked), "it is asked")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    bench.host.gate.set()
    assert len(seen(await source.compare("v1", "v2", nothing)).files) == 5


@pytest.mark.parametrize("body", [b"{" * 9000, b"[]", b"<html>", b'{"commits": 7}', b"\xff\xfe"])
async def test_an_answer_that_is_none_is_unseen(bench: Bench, body: bytes) -> None:
    """A login page, another service, broken JSON."""
    bench.host.instead = [Says(200, body)] * 20
    assert "did not answer as its API does" in unseen(
        await bench.make().compare("v1", "v2", nothing)
    )


async def test_a_huge_answer_is_not_read_to_its_end(bench: Bench) -> None:
    """However much the host would send."""
    bench.host.instead = [Says(200, b" " * 21_000_000, only="/compare")]
    assert "sent more than" in unseen(await bench.make().compare("v1", "v2", nothing))


async def test_a_file_that_is_too_big_has_no_text(bench: Bench) -> None:
    """Its numbers are told all the same."""
    bench.history.commit({"db/big.sql": "SELECT 1;\n" * 60_000}, "big", tag="v3")
    file = by_path(seen(await bench.make().compare("v2", "v3", everything)))["db/big.sql"]
    assert (file.after, file.added) == (None, 60_000)


async def test_the_token_stays_with_its_host(bench: Bench) -> None:
    """Along a redirect on the host it is sent, to another one nothing is."""
    async with serving(type(bench.host)(bench.history)) as other:
        bench.host.instead = [Says(302, None, {"location": f"{other.url}/evil"})] * 2
        reason = unseen(await bench.make().compare("v1", "v2", nothing))
        assert "another host" in reason
        assert other.asked == []
    here = bench.host.asked[0]
    bench.host.instead = [Says(307, None, {"location": here})]
    assert seen(await bench.make().compare("v1", "v2", nothing)).files
    assert all(token is None or TOKEN in token for token in bench.host.tokens)


async def test_what_was_cut_off_is_not_complete(bench: Bench) -> None:
    """GitHub shows 300 files and does not say so, GitLab says that it stopped."""
    count = 1001 if bench.kind == "gitlab" else 300
    bench.history.commit({f"many/{n}.txt": f"{n}\n" for n in range(count)}, "many", tag="v3")
    bench.host.patch = lambda *_: "@@ -0,0 +1 @@\n+1\n"  # type: ignore[method-assign]  # a thousand runs of git otherwise
    change = seen(await bench.make().compare("v2", "v3", nothing))
    assert not change.complete


async def test_labels_may_be_left_unasked(bench: Bench) -> None:
    """For a token that may not read them; one that may not says how."""
    head = bench.history.git("rev-parse", "v2").decode().strip()
    bench.host.labels = {head: ["risky"]}
    change = seen(await bench.make(labels=False).compare("v1", "v2", nothing))
    assert change.labels == ()
    assert not [path for path in bench.host.asked if "/pulls" in path or "merge_req" in path]


async def test_commits_beyond_the_first_page_are_told(bench: Bench) -> None:
    """In both directions, each once and in their order."""
    titles = [f"n{number}" for number in range(255)]
    bench.history.empty_commits(titles)
    bench.history.git("tag", "v3", "main")
    source = bench.make(labels=False)
    change = seen(await source.compare("v2", "v3", nothing))
    assert [commit.title for commit in change.commits] == titles
    back = seen(await source.compare("v3", "v2", nothing))
    assert [commit.title.removeprefix("undone: ") for commit in back.commits] == titles
    assert change.complete
    assert back.complete


async def test_the_lines_of_a_diff_that_was_left_out_are_counted(
    original: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitLab leaves out large diffs; where the texts cannot be had either, it is not complete."""
    with_token(monkeypatch)
    async with bench_of("gitlab", original.copied(tmp_path / "shop")) as bench:
        assert isinstance(bench.host, GitLab)
        bench.host.large = {"app/main.py"}
        change = seen(await bench.make().compare("v1", "v2", nothing))
        main = by_path(change)["app/main.py"]
        assert (main.added, main.removed, change.complete) == (2, 1, True)
        bench.host.large = {"logo.png"}
        assert not seen(await bench.make().compare("v1", "v2", nothing)).complete


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "shop"},
        {"repository": "../shop"},
        {"repository": "acme/shop?x"},
        {"url": "ftp://host"},
        {"url": "https://bob:pw@host"},
        {"url": "https://host/?token=x"},
        {"token_env": "NOT_SET_ANYWHERE"},
        {"ref": "v1"},
        {"path": "../other"},
        {"patience": "0s"},
        {"colour": "red"},
    ],
)
@pytest.mark.parametrize("options", [GitHubOptions, GitLabOptions])
def test_wrong_options_are_refused_at_the_start(
    options: type[GitHubOptions | GitLabOptions], wrong: dict[str, str]
) -> None:
    """Not when the first canary begins."""
    with pytest.raises(ValidationError):
        options.model_validate({"repository": "acme/shop", **wrong})


def test_a_token_with_a_line_break_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It could not be sent."""
    monkeypatch.setenv(TOKEN_NAME, "two\nl1nes")
    with pytest.raises(ValidationError) as failed:
        GitHubOptions.model_validate({"repository": "acme/shop", "token_env": TOKEN_NAME})
    assert "l1nes" not in str(failed.value)
