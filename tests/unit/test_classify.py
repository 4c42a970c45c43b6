"""`canary classify` on a repository that the test makes itself."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

CONFIG = """
slack: {channel: C0DEPLOYS}
tiers:
  safe: {}
  careful: {promote: approval, approvers: [anyone]}
  guarded: {start: approval, promote: approval, approvers: [anyone]}
risk:
  rules:
    - {name: search, tier: guarded, why: search is fragile, paths: [src/search.py]}
services:
  shop: {tier: safe, traffic: {adapter: memory}, metrics: {adapter: memory}, changes: {adapter: git, path: shop}}
"""


class Repository:
    """A git repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("first", {"README.md": "x", "requirements.txt": "django==4.2\n"})
        self.git("tag", "v1.0.0")

    def git(self, *arguments: str) -> None:
        """Run git, apart from whatever is configured on this machine."""
        names = {"GIT_AUTHOR_NAME": "alice", "GIT_AUTHOR_EMAIL": "alice@acme.example"}
        names |= {"GIT_COMMITTER_NAME": "alice", "GIT_COMMITTER_EMAIL": "alice@acme.example"}
        apart = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            check=True,
            env={"PATH": os.environ["PATH"], **names, **apart},
        )

    def commit(self, title: str, files: dict[str, str]) -> None:
        """Write these files and commit them."""
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", title)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One commit, tagged v1.0.0."""
    return Repository(tmp_path / "repository")


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A command line of 80 columns in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("CANARY_CONFIG", raising=False)
    return CliRunner()


def words(text: str) -> str:
    """What was printed, without its line breaks."""
    return " ".join(text.split())


def test_a_change_is_classified_without_any_configuration(
    runner: CliRunner, repository: Repository
) -> None:
    """Tier, reasons and summary are printed, within 80 columns."""
    repository.commit(
        "work", {"src/billing/[red]invoice.py": "x\n", "requirements.txt": "django==5.0\n"}
    )
    result = runner.invoke(app, ["classify", "v1.0.0..HEAD", "--repo", str(repository.folder)])

    assert result.exit_code == 0, result.output
    assert result.output.startswith("tier: risky\n")
    assert "it touches what bills or is paid: src/billing/[red]invoice.py [billing]" in words(
        result.output
    )
    assert "django 4.2 → 5.0 [dependencies]" in words(result.output)
    assert "2 files, +2 \N{MINUS SIGN}1 lines, 1 commit by alice@acme.example" in words(
        result.output
    )
    assert all(len(line) <= 80 for line in result.output.splitlines())


def test_a_migration_is_shown_with_its_line_and_the_way_out(
    runner: CliRunner, repository: Repository
) -> None:
    """Whoever reads it knows which statement, why, and what to do instead."""
    text = "CREATE TABLE b (id int);\nALTER TABLE a DROP COLUMN c;\n"
    repository.commit("drop", {"db/migrations/0002_drop.sql": text})
    result = runner.invoke(app, ["classify", "HEAD~1..", "--repo", str(repository.folder)])

    assert result.exit_code == 0, result.output
    assert "a rollback is not safe" in result.output
    assert "db/migrations/0002_drop.sql:2 not additive" in words(result.output)
    assert "why: " in result.output
    assert "way out: " in result.output


def test_a_pipeline_fails_at_a_tier_and_above(runner: CliRunner, repository: Repository) -> None:
    """Exit code 1 says so, and 0 that it is below; symbols are tiers too."""
    repository.commit("work", {"src/auth.py": "x"})
    call = ["classify", "v1.0.0..main", "--repo", str(repository.folder), "--fail-on"]

    assert runner.invoke(app, [*call, "risky"]).exit_code == 1
    assert runner.invoke(app, [*call, "asking"]).exit_code == 1
    repository.commit("docs", {"README.md": "y"})
    call[1] = "HEAD~1..HEAD"
    assert runner.invoke(app, [*call, "risky"]).exit_code == 0


def test_programs_are_answered_in_json(runner: CliRunner, repository: Repository) -> None:
    """Labels count as those of a pull request would."""
    repository.commit("work", {"src/search.py": "x"})
    arguments = [
        "v1.0.0..HEAD",
        "--repo",
        str(repository.folder),
        "--labels",
        "a, hotfix",
        "--json",
    ]
    result = runner.invoke(app, ["classify", *arguments])
    found = json.loads(result.output)

    assert found["tier"] == "risky"
    assert [one["rule"] for one in found["reasons"]] == ["labels"]
    assert found["rollback_is_safe"] is True
    assert len(found["base"]) == 40


def test_the_configuration_brings_its_tiers_and_rules(
    runner: CliRunner, repository: Repository
) -> None:
    """Found by its usual name, or by the option; a service's folders are those that count."""
    repository.commit("work", {"src/search.py": "x", "shop/a.py": "x"})
    Path("canary.yaml").write_text(CONFIG)
    call = ["classify", "v1.0.0..HEAD", "--repo", str(repository.folder)]
    whole = runner.invoke(app, call)
    shop = runner.invoke(app, [*call, "--service", "shop", "--fail-on", "careful"])

    assert whole.output.startswith("tier: guarded\n"), whole.output
    assert "search is fragile: src/search.py" in whole.output
    assert (shop.exit_code, shop.output.split("\n")[0]) == (0, "tier: safe")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["HEAD"], "write it as BASE..HEAD"),
        (["v1.0.0...HEAD"], "write two dots: v1.0.0..HEAD"),
        (["v1.0..HEAD"], "it has 'v1.0.0'"),
        (["HEAD~99..HEAD"], "git does not know 'HEAD~99'"),
        (["v1.0.0..--output=x"], "git does not know '--output=x'"),
        (["v1.0.0..HEAD", "--fail-on", "rsky"], "Did you mean risky?"),
        (["v1.0.0..HEAD", "--service", "shop"], "name it with --config"),
        (["v1.0.0..HEAD", "--config", "nowhere.yaml"], "canary init"),
        (["v1.0.0..HEAD", "--repo", "."], "there is no git repository at"),
        (["v1.0.0..HEAD", "--repo", "nowhere"], "there is no git repository at"),
    ],
)
def test_input_that_cannot_be_used_is_answered_in_words(
    runner: CliRunner, repository: Repository, arguments: list[str], sentence: str
) -> None:
    """Exit code 2, what is wrong, and what would be right; never a traceback."""
    call = ["classify", "--repo", str(repository.folder), *arguments]
    result = runner.invoke(app, call)

    assert result.exit_code == 2, result.output
    assert sentence in words(result.output)
    assert "Traceback" not in result.output
