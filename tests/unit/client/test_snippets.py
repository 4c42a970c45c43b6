"""The snippets are pipelines that parse, and that claim nothing that is not so."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.client.snippets import FILES, snippet


@pytest.mark.parametrize("kind", ["github-actions", "gitlab-ci"])
def test_the_pipelines_are_yaml_and_start_a_canary(kind: str) -> None:
    """With a wait, and with the change sent along."""
    text = snippet(kind)
    document = yaml.safe_load(text)

    assert isinstance(document, dict)
    commands = json.dumps(document)
    for part in ("canary start shop", "--wait", "--abort-on-cancel", "--git"):
        assert part in commands


@pytest.mark.parametrize("kind", list(FILES))
def test_what_is_shell_in_them_parses(kind: str) -> None:
    """Bash reads each, without running it."""
    text = snippet(kind)
    scripts = [text]
    match kind:
        case "github-actions":
            steps = yaml.safe_load(text)["jobs"]["canary"]["steps"]
            scripts = [step["run"] for step in steps if "run" in step]
        case "gitlab-ci":
            job = yaml.safe_load(text)["canary"]
            scripts = [*job["before_script"], *job["script"]]
        case "jenkins":
            scripts = [text.split("'''")[1]]
            assert text.count("{") == text.count("}")
        case _:
            assert text.startswith("#!/usr/bin/env bash")
    assert scripts
    for script in scripts:
        done = subprocess.run(
            ["bash", "-n"], input=script, text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", list(FILES))
def test_no_snippet_claims_that_the_package_is_public(kind: str) -> None:
    """Whoever pastes it says where theirs is; pip is asked for nothing by a bare name."""
    text = snippet(kind)

    assert re.search(r"install[^\n]* canarybot", text) is None
    if "pip install" in text or "/pip" in text:
        assert '"${CANARYBOT_PACKAGE:?' in text
        assert "It is on no public one." in text


@pytest.mark.parametrize("kind", ["github-actions", "gitlab-ci", "jenkins"])
def test_what_a_job_types_counts_from_what_is_stable(kind: str, tmp_path: Path) -> None:
    """To the very commit that is started, whatever the branch has been through."""
    text = snippet(kind)
    match kind:
        case "github-actions":
            script = yaml.safe_load(text)["jobs"]["canary"]["steps"][-1]["run"]
        case "gitlab-ci":
            script = yaml.safe_load(text)["canary"]["script"][-1]
        case _:
            script = "exec" + text.split("exec")[1].split("'''")[0]
    told = tmp_path / ".canary" / "bin" / "canary"
    told.parent.mkdir(parents=True)
    told.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    told.chmod(0o755)
    env = dict.fromkeys(("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"), "abc123")
    env["PATH"] = f"{told.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu"],
        input=script,
        text=True,
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=env | {"GITHUB_RUN_ID": "7", "CI_PIPELINE_ID": "7", "BUILD_TAG": "run 7"},
    )

    typed = done.stdout.splitlines()
    assert typed[:3] == ["start", "shop", "abc123"]
    assert typed[typed.index("--git") + 1] == "..abc123"
    assert "--abort-on-cancel" in typed
    assert typed[typed.index("--reason") + 1].endswith("7")
    assert "" not in typed


def test_an_unknown_kind_of_pipeline_has_a_near_one() -> None:
    """With all that there are."""
    with pytest.raises(ValueError, match="Did you mean gitlab-ci"):
        snippet("gitlab")
