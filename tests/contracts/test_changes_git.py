"""What holds of the source that runs git: nothing of a repository is executed or left behind."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.changes_benches import Bench, bench_of, by_path, everything, nothing, seen, unseen
from contracts.histories import History, shop
from pydantic import ValidationError
from servers import wait_until

from adapters.changes.git import GitOptions
from adapters.changes.program import Git


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> History:
    return shop(tmp_path_factory.mktemp("original") / "shop")


@pytest.fixture
async def bench(original: History, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_of("git", original.copied(tmp_path / "shop")) as bench:
        yield bench


def script(place: Path, text: str) -> Path:
    """An executable of these lines."""
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


async def test_nothing_that_a_repository_brings_is_executed(bench: Bench, tmp_path: Path) -> None:
    """No hook, no text conversion, no external diff, no file system monitor, no signature check."""
    trap = script(tmp_path / "trap", f"touch {tmp_path}/sprung; cat")
    history = bench.history
    for setting in (
        *("diff.trap.textconv", "diff.trap.command", "diff.external", "core.fsmonitor"),
        *("core.pager", "gpg.program", "core.sshCommand", "filter.trap.smudge", "core.askPass"),
    ):
        history.git("config", setting, str(trap))
    history.git("config", "log.showSignature", "true")
    hooks = history.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        script(hooks / hook, f"touch {tmp_path}/sprung")
    (history.folder / ".gitattributes").write_text("* diff=trap filter=trap\n")
    change = seen(await bench.make().compare("v1", "v2", everything))
    assert len(change.files) == 5
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("path", ["new\nline.sql", 'quo"te.sql', "tab\t.sql", "ü ñ.sql", "-x.sql"])
async def test_a_path_is_told_as_it_is(bench: Bench, path: str) -> None:
    """Whatever it holds, and with the right text."""
    bench.history.commit({path: f"-- {len(path)}\n", "other.sql": "other\n"}, "odd", tag="v3")
    files = by_path(seen(await bench.make().compare("v2", "v3", everything)))
    assert files[path].after == f"-- {len(path)}\n"
    assert (files[path].added, files["other.sql"].after) == (1, "other\n")


async def test_odd_contents_are_read_as_they_are(bench: Bench) -> None:
    """Empty, not UTF-8, no newline at the end, too big; and a title that looks like a record."""
    bench.history.commit(
        {
            "empty.sql": "",
            "latin.sql": b"-- \xe9\n",
            "open.sql": "SELECT 1",
            "big.sql": "SELECT 1;\n" * 60_000,
        },
        "0123 blob 7\x01:100644",
        tag="v3",
    )
    change = seen(await bench.make().compare("v2", "v3", everything))
    files = by_path(change)
    assert files["empty.sql"].after == ""
    assert files["latin.sql"].after == "-- \ufffd\n"
    assert files["open.sql"].after == "SELECT 1"
    assert (files["big.sql"].after, files["big.sql"].added) == (None, 60_000)
    assert change.commits[0].title == "0123 blob 7\x01:100644"


async def test_a_name_is_looked_up_at_the_remote_first_where_one_is_given(
    bench: Bench, tmp_path: Path
) -> None:
    """A stale branch of the same name does not win, and new tags are there."""
    clone = tmp_path / "clone"
    bench.history.git("clone", "--quiet", str(bench.history.folder), str(clone))
    bench.history.commit({"db/9.sql": "SELECT 9;\n"}, "ninth", tag="v9")
    old = seen(await bench.make(repository="clone").compare("v2", "main", nothing))
    assert old.files == ()
    assert "git does not know 'v9'" in unseen(
        await bench.make(repository="clone").compare("v2", "v9", nothing)
    )
    source = bench.make(repository="clone", fetch="origin")
    for head in ("v9", "main"):
        assert set(by_path(seen(await source.compare("v2", head, nothing)))) == {"db/9.sql"}


async def test_a_remote_that_is_away_is_unseen(bench: Bench) -> None:
    """With what git said, and without the password of its address."""
    bench.history.git("remote", "add", "origin", "http://bob:hunter2@127.0.0.1:1/shop.git")
    reason = unseen(await bench.make(fetch="origin").compare("v1", "v2", nothing))
    assert "cannot be updated from origin" in reason
    assert "hunter2" not in reason


@pytest.mark.parametrize("fetch", ["--upload-pack=x", "https://x", "ext::sh", "a b", ""])
def test_a_remote_is_a_name(fetch: str) -> None:
    """Never an option or an address."""
    with pytest.raises(ValidationError):
        GitOptions.model_validate({"fetch": fetch})


async def test_a_missing_program_is_unseen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setenv("PATH", "/nowhere")
    reason = unseen(await bench.make().compare("v1", "v2", nothing))
    assert "git is not installed; install git" in reason


async def test_a_folder_that_is_no_repository_is_unseen(bench: Bench, tmp_path: Path) -> None:
    """Nor one that is not there."""
    (tmp_path / "empty").mkdir()
    for place in ("empty", "nowhere"):
        reason = unseen(await bench.make(repository=place).compare("v1", "v2", nothing))
        assert f"the repository {place} cannot be read" in reason


async def test_a_cancelled_question_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither git nor what it has started."""
    pids = tmp_path / "pids"
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "git", f"sleep 600 & echo $! >> {pids}; echo $$ >> {pids}; wait")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    running = asyncio.ensure_future(Git(tmp_path).run("fetch"))
    await wait_until(lambda: pids.exists() and pids.read_text().count("\n") == 2, "it runs")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await wait_until(lambda: not any(map(lives, pids.read_text().split())), "both have ended")


def lives(pid: str) -> bool:
    """Whether a process of that id runs; one that waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_output_without_an_end_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped, and said to be a part only."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "git", "exec yes")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    told = await Git(tmp_path).run("log", most=100_000)
    assert (len(told.out), told.whole) == (100_000, False)


async def test_too_many_files_are_not_complete(tmp_path: Path) -> None:
    """What is told is cut off, and says so."""
    history = History(tmp_path / "shop")
    history.commit({"a": "a"}, "first", tag="v1")
    history.commit({f"many/{number}": "" for number in range(10_001)}, "many", tag="v2")
    async with bench_of("git", history) as bench:
        change = seen(await bench.make().compare("v1", "v2", nothing))
    assert (len(change.files), change.complete) == (10_000, False)
