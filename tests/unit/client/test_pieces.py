"""The client's pieces: keys of runs, changes from git, the live view, and what is pasted."""

import io
import json
import subprocess
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, a_canary, a_plan
from rich.console import Console

from bot.api.requests import ChangeBody
from bot.api.states import state_of
from bot.client import showing, words
from bot.client.commands import start
from bot.client.git import Unsent, change
from bot.client.pipelines import key_for
from bot.client.talking import Exit, Failed, Server
from bot.config.api import ApiSettings, rate
from bot.core.assessment import Impact
from bot.core.canary import AwaitingDecision, Cause, Promoted, RolledBack
from bot.core.change import Change
from bot.core.migrations import judge
from bot.core.plan import Gate
from bot.core.slo import Sli
from bot.core.verdict import Finding, Health
from bot.ports.access import Rate


def told(**changes: Any) -> dict[str, Any]:
    """A canary's state as it comes over the wire."""
    found: dict[str, Any] = json.loads(state_of(a_canary(**changes), NOON).model_dump_json())
    return found


def test_the_message_in_slack_is_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the log, and in the job's summary as a link; without one nothing is said of it."""
    state, bare = told(), told()
    state["links"]["message"] = "https://acme.slack.com/archives/C1/p1"
    log = showing.InLog()
    for each in (bare, state, state):
        log.show(each)
    summary = tmp_path / "summary.md"
    showing.summarise(
        told(phase=Promoted(NOON)) | {"links": state["links"]},
        {"GITHUB_STEP_SUMMARY": str(summary)},
    )

    assert capsys.readouterr().err.count("in Slack: https://acme.slack.com/archives/C1/p1") == 1
    assert "Canary [shop-k3x9ab](https://acme.slack.com/archives/C1/p1)" in summary.read_text()


def test_a_run_has_one_key_for_each_revision_and_nobody_else_has_it() -> None:
    """Run again it is the same; outside of any pipeline it is always another."""
    env = {"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ATTEMPT": "2"}
    key = key_for("shop", "v2", env)

    assert key == key_for("shop", "v2", env | {"GITHUB_RUN_ATTEMPT": "3"})
    others = [
        key_for("shop", "v3", env),
        key_for("cart", "v2", env),
        key_for("shop", "v2", env | {"GITHUB_RUN_ID": "8"}),
        key_for("shop", "v2", env | {"GITHUB_REPOSITORY": "a/c"}),
        key_for("shop", "v2", {"CI_PIPELINE_ID": "7"}),
        key_for("shop", "v2", {"BUILD_TAG": "jenkins-shop-7"}),
        key_for("shop", "v2", {}),
        key_for("shop", "v2", {}),
    ]
    assert len({key, *others}) == 9
    assert all(len(each) <= 200 for each in others)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits, the second with a migration, a renamed file and an odd name."""

    def git(*command: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        subprocess.run(["git", *who, *command], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (tmp_path / "old name.py").write_text("print(1)\n" * 20)
    (tmp_path / "gone.txt").write_text("x\n")
    (tmp_path / "CODEOWNERS").write_text("*.sql @db\n")
    git("add", ".")
    git("commit", "-qm", "first")
    git("tag", "v1")
    (tmp_path / "old name.py").rename(tmp_path / "tab\tname.py")
    (tmp_path / "gone.txt").unlink()
    folder = tmp_path / "db" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0002_drop.sql").write_text("ALTER TABLE orders DROP COLUMN total;\n")
    (tmp_path / "big.bin").write_bytes(bytes(range(256)) * 10)
    git("add", ".")
    git("commit", "-qm", "Drop the total")
    return tmp_path


def test_a_change_of_the_repository_here_is_sent_with_the_texts_that_matter(
    repository: Path,
) -> None:
    """And the API takes it as it is."""
    sent = change("v1..HEAD", "v2", "v1", ("risky",), repository)
    taken = ChangeBody.model_validate(sent).change()
    files = {file.path: file for file in taken.files}

    assert set(files) == {"big.bin", "db/migrations/0002_drop.sql", "gone.txt", "tab\tname.py"}
    drop = files["db/migrations/0002_drop.sql"]
    assert (drop.status, drop.added, drop.before) == ("added", 1, None)
    assert drop.after == "ALTER TABLE orders DROP COLUMN total;\n"
    renamed = files["tab\tname.py"]
    assert (renamed.status, renamed.previous_path, renamed.after) == (
        "renamed",
        "old name.py",
        None,
    )
    assert files["gone.txt"].status == "removed"
    assert taken.complete
    assert taken.owners == "*.sql @db\n"
    assert [(one.author, one.title) for one in taken.commits] == [
        ("ada@example.com", "Drop the total")
    ]
    assert taken.labels == ("risky",)
    assert (sent["base"], sent["head"]) == ("v1", "v2")
    assert change("..", "v2", "v1", ("risky",), repository) == sent


def commits(repository: Path) -> tuple[str, str]:
    """The first and the second."""
    said = subprocess.run(
        ["git", "rev-parse", "v1", "HEAD"], cwd=repository, check=True, capture_output=True
    )
    first, second = said.stdout.decode().split()
    return first, second


def test_the_ends_of_a_change_are_named_as_the_bot_names_them(repository: Path) -> None:
    """By a shortened commit, a tag, or a number that git knows nothing of."""
    first, second = commits(repository)
    for stable in (first[:7], first, "v1"):
        for revision in (second[:8], second, "build-7"):
            sent = change("..HEAD", revision, stable, (), repository)
            assert (sent["base"], sent["head"], len(sent["files"])) == (stable, revision, 4)
            assert change("v1..HEAD", revision, stable, (), repository) == sent


def test_what_is_taken_back_is_said_to_be(repository: Path) -> None:
    """Stable is ahead of what is started, as after a merge from an old branch."""
    sent = change("..v1", "v1", "HEAD", (), repository)
    (commit,) = ChangeBody.model_validate(sent).change().commits
    assert (commit.title, commit.undone) == ("Drop the total", True)
    forward = change("v1..HEAD", "v2", "v1", (), repository)
    assert [one.undone for one in ChangeBody.model_validate(forward).change().commits] == [False]


def test_a_change_that_begins_elsewhere_keeps_its_own_beginning(repository: Path) -> None:
    """Whoever is told can see that it is not what is stable."""
    first, second = commits(repository)
    for stable in (None, "build-6", second):
        assert change("v1..HEAD", "v2", stable, (), repository)["base"] == first


@pytest.mark.parametrize(("stable", "why"), [(None, "cannot tell"), ("build-6", "no commit")])
def test_where_stable_is_no_commit_here_nothing_is_sent(
    repository: Path, stable: str | None, why: str
) -> None:
    """Which is no mistake: a person is asked."""
    with pytest.raises(Unsent, match=why):
        change("..HEAD", "v2", stable, (), repository)


def test_a_change_to_another_commit_than_the_one_to_be_started_is_refused(
    repository: Path,
) -> None:
    """Nobody may take the change of one revision for that of another."""
    subprocess.run(["git", "tag", "v2", "v1"], cwd=repository, check=True)
    with pytest.raises(Failed, match=r"Write --git v1\.\.v2") as no:
        change("v1..HEAD", "v2", "v1", (), repository)
    assert no.value.code is Exit.UNUSABLE


def test_a_folder_without_a_repository_is_said_to_be_one(tmp_path: Path) -> None:
    """And not blamed on a shallow clone."""
    with pytest.raises(Failed, match="no git repository"):
        change("..HEAD", "v2", "v1", (), tmp_path)


@pytest.mark.parametrize("span", ["v1", "v1..v9", "v9..HEAD", "--output=x..HEAD", "v1...HEAD"])
def test_a_span_that_git_does_not_know_is_a_sentence(repository: Path, span: str) -> None:
    """And no option of git's."""
    with pytest.raises(Failed, match="--git") as no:
        change(span, "v2", "v1", (), repository)
    assert no.value.code is Exit.UNUSABLE


def test_the_picture_shows_the_window_the_slos_and_what_is_asked() -> None:
    """Canary beside stable, and who may answer."""
    finding = Finding(Sli.P99, Health.THIN, 0.31, 0.25, 1.24, "1.3x", low=0.9, high=1.6)
    asked = AwaitingDecision(0, "promote", NOON, NOON + timedelta(minutes=5))
    gate = Gate(("U0GRACE01",), timedelta(minutes=5), 2)
    state = told(phase=asked, plan=a_plan(promote_gate=gate))
    slo = {
        "name": Sli.P99.value,
        "unit": "seconds",
        "reason": "",
        "limit": "1.3x",
        "confidence": None,
    }
    numbers = {"canary": 0.31, "stable": 0.25, "ratio": 1.24, "low": 0.9, "high": 1.6}
    state["slos"] = [slo | numbers | {"health": finding.health.value}]
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(showing.picture(state))
    console.print(showing.picture(told()))
    text = console.export_text()

    assert set(words.NAMES) == {sli.value for sli in Sli}
    assert "waits for a decision at 5 %" in text
    assert "Latency p99" in text
    assert "310 ms" in text
    assert "1.24x (0.9-1.6)" in text
    assert "U0GRACE01 (0 of 2 so far)" in text
    assert "of 20:00" in text


def test_the_end_says_which_slo_how_much_worse_and_how_sure() -> None:
    """With the reason, in one line."""
    breach = Finding(
        Sli.ERRORS, Health.BREACHED, 0.052, 0.0048, 10.8, "1.2x", 0.00025, "it fails more often"
    )
    cause = Cause("breach", "errors breached", None, (breach,))
    lines = words.ended(told(phase=RolledBack(cause, NOON, timedelta(seconds=2))))

    assert lines[0] == "rolled back: all traffic is on v1 again. Why: errors breached"
    assert lines[1] == (
        "  Errors: BREACHED (canary 5.2 %, stable 0.48 %, 10.8x); it fails more often; "
        "at most 1 in 4,000 by chance"
    )


def test_a_line_from_outside_is_no_command_of_the_pipeline(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """GitHub Actions reads every line that begins with two colons."""
    view = showing.InLog(groups=True)
    state = told()
    state["summary"] = "shop\n::set-env name=X::y"
    view.show(state)
    view.say("a\n::error::b")
    view.close()

    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line.startswith("::")] == [lines[0], "::endgroup::"]


@pytest.mark.parametrize("url", ["canary.example.com", "ftp://x", ""])
def test_an_address_that_is_none_is_a_sentence(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(Failed, match="CANARY_SERVER"):
        Server(url, "cnry_x")


def test_what_the_api_does_not_take_is_left_out_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that is too long, and labels beyond the hundredth."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-C", str(tmp_path))
    for name in ("first", "a", "a-longer-name"):
        (tmp_path / name).write_text(name)
        for step in (("init", "-q"), ("add", name), ("commit", "-qm", name)):
            subprocess.run([*git, *step], check=True)
    labels = [str(at) for at in range(120)]
    whole = change("HEAD~2..HEAD", "v2", None, (), tmp_path)
    monkeypatch.setattr("bot.client.git.LONGEST_PATH", 5)
    cut = change("HEAD~2..HEAD", "v2", None, labels, tmp_path)

    assert (len(whole["files"]), whole["complete"]) == (2, True)
    assert ([file["path"] for file in cut["files"]], cut["complete"]) == (["a"], False)
    assert cut["labels"] == labels[:100]
    monkeypatch.setattr("bot.client.git.LONGEST_PATH", 1024)
    monkeypatch.setattr("bot.client.git.MOST_COMMITS", 1)
    few = change("HEAD~2..HEAD", "v2", None, (), tmp_path)
    assert (len(few["commits"]), few["complete"]) == (1, False)


def test_the_help_of_a_tier_says_what_a_lower_one_means() -> None:
    """Not that only a higher one can be asked for."""
    (tier,) = signature(start).parameters["tier"].annotation.__metadata__

    assert "a lower one waits for an approver" in tier.help


def test_the_settings_read_rates_and_refuse_what_would_hold_up_an_abort() -> None:
    """60/m, 10/s, 1000/h."""
    settings = ApiSettings.model_validate({"listen": "[::1]:8081", "rate": "60/m"})

    assert settings.address == ("::1", 8081)
    assert settings.rate == Rate(60, timedelta(minutes=1))
    assert settings.connections_per_address == 200
    for wrong in ("", "60", "0/m", "x/m", "60/d"):
        with pytest.raises(ValueError, match="is no rate"):
            rate(wrong)
    for section in (
        {"abort_rate": "5/m"},
        {"longest_wait": "1h"},
        {"listen": "8080"},
        {"rat": 1},
        {"connections_per_address": 0},
    ):
        with pytest.raises(ValueError, match=r"abort|longest|listen|Extra|connections"):
            ApiSettings.model_validate(section)


def test_earlier_migrations_are_sent_along_and_tell_what_a_column_was(tmp_path: Path) -> None:
    """So a longer text is known to hold all it did, as it is where the bot has a clone."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-C", str(tmp_path))
    folder = tmp_path / "shop" / "migrations"
    folder.mkdir(parents=True)
    head = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n"
    created = "migrations.CreateModel('Cart', [('note', models.CharField(max_length=10))])"
    longer = "migrations.AlterField('Cart', 'note', models.CharField(max_length=20))"
    subprocess.run([*git, "init", "-q"], check=True)
    for name, before, operation in (
        ("0001_a", "", created),
        ("0002_b", "('shop', '0001_a')", longer),
    ):
        needs = f"    dependencies = [{before}]\n    operations = [{operation}]\n"
        (folder / f"{name}.py").write_text(head + needs)
        for step in (("add", "."), ("commit", "-qm", name)):
            subprocess.run([*git, *step], check=True)
    sent = change("HEAD~1..HEAD", "v2", None, (), tmp_path)
    taken = ChangeBody.model_validate(sent).change()
    impacts = {
        statement.impact
        for files in (taken.earlier, ())
        for migration in judge(taken.files, files)
        for statement in migration.statements
    }

    assert [file.path for file in taken.earlier] == ["shop/migrations/0001_a.py"]
    assert impacts == {Impact.ADDITIVE, Impact.UNCLEAR}


def test_what_is_too_big_is_sent_with_less_and_never_looks_safer(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First without texts, which nobody takes for a safe migration, then with fewer files."""
    monkeypatch.setattr("bot.client.git.FEWER", 1)

    def within(room: int) -> tuple[dict[str, Any], Change]:
        monkeypatch.setattr("bot.client.git.MOST_BYTES", room)
        sent = change("..HEAD", "v2", "v1", (), repository)
        return sent, ChangeBody.model_validate(sent).change()

    sent, whole = within(10**6)
    bounded = {name: sent[name] for name in sent if name not in {"base", "head", "labels"}}
    _, without_texts = within(len(json.dumps(bounded)) - 1)
    _, fewer = within(9)

    assert (len(whole.files), whole.complete) == (4, True)
    assert any(file.after for file in whole.files)
    assert (len(without_texts.files), without_texts.complete) == (4, True)
    assert not any(file.after or file.before for file in without_texts.files)
    assert (len(fewer.files), fewer.complete) == (1, False)
