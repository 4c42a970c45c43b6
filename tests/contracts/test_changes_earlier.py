"""The earlier migrations beside those of a change: all of a folder, or none of it."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from contracts.changes_benches import Bench, bench_of, everything, nothing, seen, with_token
from contracts.forge_server import Says
from contracts.histories import History

from adapters.changes import beside, git
from bot.core.assessment import Impact
from bot.core.migrations import judge

ALL = ["git", "github", "gitlab", "memory"]
READING = ["git", "github", "gitlab"]
HOSTS = ["github", "gitlab"]

HEAD = "class Migration(migrations.Migration):\n    dependencies = {}\n    operations = [{}]\n"
FIRST = HEAD.format("[]", "migrations.CreateModel('A', [('b', models.CharField(max_length=9))])")
WIDER = HEAD.format(
    "[('shop', '0001_initial')]",
    "migrations.AlterField('a', 'b', models.CharField(max_length=20))",
)
NULL = HEAD.format(
    "[('shop', '0002_wider')]", "migrations.AddField('a', 'c', models.TextField(null=True))"
)


@pytest.fixture
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    with_token(monkeypatch)
    kind, first, second = request.param
    history = History(tmp_path / "shop")
    history.commit({"app.py": "1\n", **first}, "first", tag="v1")
    history.git("tag", "v1-side")
    history.commit(second, "second", tag="v2")
    async with bench_of(kind, history) as bench:
        yield bench


Files = Mapping[str, str | bytes]

OLD: Files = {
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": FIRST,
    "shop/migrations/sub/0009_other.py": NULL,
    "other/migrations/0001_initial.py": FIRST,
}
ADDS: Files = {"shop/migrations/0002_wider.py": WIDER}


def benches(kinds: list[str], first: Files, second: Files) -> pytest.MarkDecorator:
    """Each source over a history of these two commits."""
    made = [pytest.param((kind, first, second), id=kind) for kind in kinds]
    return pytest.mark.parametrize("bench", made, indirect=True)


async def told(bench: Bench) -> list[str]:
    """The paths of what is told as earlier."""
    return [file.path for file in seen(await bench.make().compare("v1", "v2", everything)).earlier]


@benches(ALL, OLD, ADDS)
async def test_earlier_migrations_of_the_same_folder_are_told(bench: Bench) -> None:
    """With their texts, and nothing of what stands below it or elsewhere."""
    change = seen(await bench.make().compare("v1", "v2", everything))
    (first,) = change.earlier
    assert (first.path, first.after) == ("shop/migrations/0001_initial.py", FIRST)
    (judged,) = judge(change.files, change.earlier)
    assert judged.worst is Impact.ADDITIVE
    (alone,) = judge(change.files)
    assert alone.worst is Impact.UNCLEAR


@benches(ALL, OLD, ADDS)
async def test_what_is_not_wanted_is_not_told_and_the_next_one_who_wants_it_is(
    bench: Bench,
) -> None:
    """Of a folder that is wanted in part, nothing."""
    source = bench.make()
    assert seen(await source.compare("v1", "v2", nothing)).earlier == ()
    assert seen(await source.compare("v1", "v2", everything)).earlier != ()
    only_new = seen(await source.compare("v1", "v2", lambda path: "0001" not in path))
    assert only_new.earlier == ()


@benches(HOSTS, OLD, ADDS)
async def test_what_was_told_is_remembered(bench: Bench) -> None:
    """A second question asks the host for nothing of it."""
    source = bench.make()
    await source.compare("v1", "v2", everything)
    asked = len(bench.host.asked)
    again = seen(await source.compare("v1", "v2", everything))
    assert again.earlier
    assert len(bench.host.asked) == asked


@benches(HOSTS, OLD, {"shop/migrations/0002_null.py": NULL})
async def test_nothing_is_asked_for_where_it_would_tell_nothing(bench: Bench) -> None:
    """A migration that alters no field is judged by itself."""
    assert await told(bench) == []
    assert not [path for path in bench.host.asked if "0001_initial" in path]


@benches(READING, {}, ADDS)
async def test_a_new_folder_has_no_earlier_ones(bench: Bench) -> None:
    """And the change is seen all the same."""
    assert await told(bench) == []


@benches(READING, {**OLD, "shop/migrations/0000_binary.py": b"\0"}, ADDS)
async def test_a_folder_with_an_unreadable_migration_is_left_out(bench: Bench) -> None:
    """A missing one would make an older type look like the last one."""
    assert await told(bench) == []


@benches(READING, {**OLD, "shop/migrations/0000_huge.py": b"#" * 600_000}, ADDS)
async def test_a_folder_with_a_migration_that_is_too_long_is_left_out(bench: Bench) -> None:
    """Nothing of it is cut off and told."""
    assert await told(bench) == []


@benches(HOSTS, {**OLD, **{f"shop/migrations/{n:04}_x.py": "" for n in range(2, 62)}}, ADDS)
async def test_of_a_host_no_large_folder_is_read(bench: Bench) -> None:
    """More than 60 requests for what only makes an answer better are too many."""
    assert await told(bench) == []
    assert not [path for path in bench.host.asked if "0010_x" in path]


@benches(HOSTS, {**OLD, **{f"shop/migrations/{n:04}.txt": "" for n in range(1000)}}, ADDS)
async def test_of_a_folder_that_a_host_may_have_cut_off_nothing_is_told(bench: Bench) -> None:
    """GitHub lists 1000 and does not say that there are more; of GitLab one page is read."""
    assert await told(bench) == []


@benches(["git"], {**OLD, **{f"shop/migrations/{n:04}_x.py": "" for n in range(2, 62)}}, ADDS)
async def test_git_reads_larger_folders_up_to_its_own_limit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their number and by their size."""
    assert len(await told(bench)) == 61
    monkeypatch.setattr(git, "MOST_EARLIER", 60)
    assert await told(bench) == []
    monkeypatch.setattr(git, "MOST_EARLIER", 61)
    monkeypatch.setattr(beside, "MOST_TEXT", 100)
    assert await told(bench) == []


@benches(HOSTS, OLD, ADDS)
async def test_a_host_that_tells_the_change_but_not_the_folder_is_believed(bench: Bench) -> None:
    """What could not be had only makes the change less clear, never unseen."""
    bench.host.instead = [Says(403, {"message": "no"}, only="0001_initial")]
    assert await told(bench) == []
    assert bench.host.instead == []


@benches(["git"], OLD, ADDS)
async def test_a_link_in_the_folder_leaves_it_out(bench: Bench) -> None:
    """Where it leads is not read."""
    place = bench.history.folder / "shop/migrations"
    bench.history.git("checkout", "--quiet", "v1")
    (place / "0000_link.py").symlink_to("0001_initial.py")
    bench.history.commit({}, "link", tag="linked")
    bench.history.commit(ADDS, "more", tag="more")
    change = seen(await bench.make().compare("linked", "more", everything))
    assert change.earlier == ()
