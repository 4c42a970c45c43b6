"""What every change source promises, checked against each of them over the same history."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.changes_benches import (
    Bench,
    bench_of,
    by_path,
    everything,
    nothing,
    seen,
    unseen,
    what,
    with_token,
)
from contracts.histories import History, shop

from bot.core.change import Change

ALL = ["git", "github", "gitlab", "memory"]
READING = ["git", "github", "gitlab"]
"""Those that read a repository; memory tells what it was told."""

V1_TO_V2 = {
    ("added", "db/2.sql", ""),
    ("modified", "app/main.py", ""),
    ("modified", "logo.png", ""),
    ("removed", "docs/readme.md", ""),
    ("renamed", "app/new.py", "app/old.py"),
}
HOSTILE = [
    "--upload-pack=touch pwned",
    "-v1",
    "..",
    "v1..v2",
    "../../user",
    "v1^{/x}",
    "HEAD~1",
    "@{upstream}",
    ":/first",
    "a b",
    "v2\nv1",
    "v2\0",
    "\ud800",
    "",
    "x" * 5000,
    "v2?ref=x",
    "v2#x",
    "%2e%2e/%2e%2e/user",
]


def told_of(change: Change) -> list[tuple[str, bool]]:
    """Each commit's title, and whether it is taken back."""
    return [(commit.title, commit.undone) for commit in change.commits]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> History:
    return shop(tmp_path_factory.mktemp("original") / "shop")


@pytest.fixture
async def bench(
    request: pytest.FixtureRequest,
    original: History,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Bench]:
    with_token(monkeypatch)
    async with bench_of(request.param, original.copied(tmp_path / "shop")) as bench:
        yield bench


@pytest.mark.parametrize("bench", ALL, indirect=True)
async def test_files_are_told_with_what_became_of_them(bench: Bench) -> None:
    """Added, modified, removed and renamed ones, with the lines that were added and removed."""
    change = seen(await bench.make().compare("v1", "v2", nothing))
    files = by_path(change)
    assert what(change) == V1_TO_V2
    assert (files["app/main.py"].added, files["app/main.py"].removed) == (2, 1)
    assert (files["db/2.sql"].added, files["docs/readme.md"].removed) == (1, 2)
    assert (files["app/new.py"].added, files["app/new.py"].removed) == (1, 0)
    assert (files["logo.png"].added, files["logo.png"].removed) == (0, 0)
    assert (change.base, change.head, change.complete) == ("v1", "v2", True)
    assert (change.source, change.owners) == (bench.kind, "* @shop\n")


@pytest.mark.parametrize("bench", ALL, indirect=True)
async def test_texts_are_told_of_wanted_files_only(bench: Bench) -> None:
    """On both sides, where the file is; what is binary has no text."""
    source = bench.make()
    some = by_path(seen(await source.compare("v1", "v2", lambda path: path.startswith("db/"))))
    assert some["db/2.sql"].after == "DROP TABLE a;\n"
    assert some["db/2.sql"].before is None
    assert all(
        file.before is None and file.after is None
        for file in some.values()
        if file.path != "db/2.sql"
    )
    files = by_path(seen(await source.compare("v1", "v2", everything)))
    assert files["app/main.py"].before == "one\ntwo\n"
    assert files["app/main.py"].after == "one\n2\nthree\n"
    assert (files["docs/readme.md"].before, files["docs/readme.md"].after) == ("read\nme\n", None)
    assert files["app/new.py"].after == f"{files['app/new.py'].before}more\n"
    assert (files["logo.png"].before, files["logo.png"].after) == (None, None)
    fewer = by_path(seen(await source.compare("v1", "v2", nothing)))
    assert all(file.before is None and file.after is None for file in fewer.values())


@pytest.mark.parametrize("bench", ALL, indirect=True)
async def test_commits_are_told_oldest_first(bench: Bench) -> None:
    """With their authors, as the source knows them, and the first line of their messages."""
    change = seen(await bench.make().compare("v1", "v2", nothing))
    assert [commit.title for commit in change.commits] == ["drop it", "tidy up"]
    bob = "bob" if bench.kind == "github" else "bob@shop.test"
    assert change.authors == (bob, "ann@shop.test")
    assert all(commit.at and commit.at.utcoffset() is not None for commit in change.commits)


@pytest.mark.parametrize("bench", ["github", "gitlab"], indirect=True)
async def test_labels_come_from_what_the_commits_were_merged_with(bench: Bench) -> None:
    """Each once; and as they are by then, which may be later than the change was read."""
    head, second = bench.history.git("rev-list", "v2").decode().split()[:2]
    bench.host.labels = {head: ["risky", "billing"], second: ["risky"]}
    change = seen(await bench.make().compare("v1", "v2", nothing))
    assert set(change.labels) == {"risky", "billing"}
    assert len(change.labels) == 2


@pytest.mark.parametrize("bench", READING, indirect=True)
async def test_going_back_tells_what_is_undone(bench: Bench) -> None:
    """An older revision brings no commit of its own, and yet takes back everything since."""
    change = seen(await bench.make().compare("v2", "v1", everything))
    assert what(change) == {
        ("removed", "db/2.sql", ""),
        ("modified", "app/main.py", ""),
        ("modified", "logo.png", ""),
        ("added", "docs/readme.md", ""),
        ("renamed", "app/old.py", "app/new.py"),
    }
    files = by_path(change)
    assert files["db/2.sql"].before == "DROP TABLE a;\n"
    assert files["docs/readme.md"].added == 2
    assert files["app/main.py"].before == "one\n2\nthree\n"
    assert files["app/old.py"].removed == 1
    assert told_of(change) == [("drop it", True), ("tidy up", True)]


@pytest.mark.parametrize("bench", READING, indirect=True)
async def test_another_branch_brings_its_own_and_undoes_the_rest(bench: Bench) -> None:
    """Both directions are told, each file once."""
    change = seen(await bench.make().compare("v2", "side", everything))
    assert what(change) == {
        ("added", "db/3.sql", ""),
        ("removed", "db/2.sql", ""),
        ("modified", "app/main.py", ""),
        ("modified", "logo.png", ""),
        ("added", "docs/readme.md", ""),
        ("renamed", "app/old.py", "app/new.py"),
    }
    main = by_path(change)["app/main.py"]
    assert (main.before, main.after) == ("one\n2\nthree\n", "one\nside\n")
    assert told_of(change) == [("drop it", True), ("tidy up", True), ("aside", False)]


@pytest.mark.parametrize("bench", READING, indirect=True)
async def test_a_revision_may_be_a_tag_a_branch_or_a_commit(bench: Bench) -> None:
    """Short or whole, and by the template."""
    commit = bench.history.git("rev-parse", "v2").decode().strip()
    for head in ("main", commit, commit[:10]):
        assert what(seen(await bench.make().compare("v1", head, nothing))) == V1_TO_V2
    source = bench.make(ref="v{revision}")
    assert what(seen(await source.compare("1", "2", nothing))) == V1_TO_V2
    same = seen(await source.compare("2", "2", nothing))
    assert (same.files, same.commits, same.complete) == ((), (), True)


@pytest.mark.parametrize("bench", READING, indirect=True)
async def test_only_the_services_folders_count(bench: Bench) -> None:
    """Those below `path`, and what `also` names."""
    source = bench.make(path="app/", also=["docs/readme.md"])
    change = seen(await source.compare("v1", "v2", everything))
    assert set(by_path(change)) == {"app/main.py", "app/new.py", "docs/readme.md"}
    nowhere = seen(await bench.make(path="ap").compare("v1", "v2", nothing))
    assert nowhere.files == ()


@pytest.mark.parametrize("bench", ALL, indirect=True)
async def test_an_unknown_revision_is_unseen_and_names_what_is_close(bench: Bench) -> None:
    """It says which one, and what to do."""
    head = "2"
    reason = unseen(await bench.make().compare("v1", head, nothing))
    assert repr(head) in reason
    assert "'v2'" in reason


@pytest.mark.parametrize("bench", ALL, indirect=True)
@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_is_only_an_unknown_one(bench: Bench, name: str) -> None:
    """As base or head: a short sentence on one line, nothing is run, and nobody is asked."""
    source = bench.make()
    reason = unseen(await source.compare("v1", name, nothing))
    if bench.kind != "memory":
        reason += unseen(await source.compare(name, "v1", nothing))
    assert reason.isprintable()
    assert len(reason) < 900
    assert not list(bench.history.folder.rglob("pwned*"))
    if bench.forge:
        assert not [path for path in bench.forge.asked if "user" in path and "%25" not in path]


@pytest.mark.parametrize("bench", READING, indirect=True)
async def test_what_changes_in_a_submodule_is_not_seen(bench: Bench) -> None:
    """Added, moved on and removed: its commits are in no repository that is asked."""
    old, new = (bench.history.git("rev-parse", tag).decode().strip() for tag in ("v1", "v2"))
    for commit in (old, new):
        bench.history.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/lib")
        bench.history.git("commit", "--quiet", "-m", "vendored")
        bench.history.git("tag", f"with-{commit}")
    source = bench.make()
    for base, head in (("v2", f"with-{old}"), (f"with-{old}", f"with-{new}"), ("main", "v2")):
        change = seen(await source.compare(base, head, everything))
        file = by_path(change)["vendor/lib"]
        assert (file.before, file.after, change.complete) == (None, None, False)
    bench.history.git("rm", "--quiet", "--cached", "vendor/lib")
    bench.history.git("commit", "--quiet", "-m", "gone")
    assert seen(await source.compare("v2", "HEAD", everything)).complete
