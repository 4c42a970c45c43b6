"""A pipeline in front of the whole bot: a token, a start that is waited for, and what it ends with."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from stage import Stage, on_stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def canary(stage: Stage, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a pipeline's job would, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        env={**os.environ, "CANARY_SERVER": address(stage), **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def address(stage: Stage) -> str:
    return f"http://127.0.0.1:{stage.places.api}"


def token(stage: Stage, name: str, can: str = "start,read,abort") -> str:
    """A token's secret, made as the README says."""
    config = str(stage.places.folder / "canary.yaml")
    made = canary(
        stage, "token", "create", name, "--service", "shop", "--can", can, "--config", config
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_a_pipeline_starts_a_canary_and_waits_for_its_promotion(tmp_path: Path) -> None:
    """It ends with 0; the metrics tell of it, and the record of who it was."""
    with on_stage(tmp_path, "healthy", window=15) as stage:
        secret = token(stage, "shop-ci")
        job = {"CANARY_TOKEN": secret, "GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "acme/shop"}
        ended = canary(stage, "start", "shop", "v2", "--wait", "--reason", "run 7", **job)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "promoted" in ended.stdout
        assert f"in Slack: http://127.0.0.1:{stage.places.page}/" in ended.stderr
        assert stage.split() == {"blue": 0, "green": 100}

        again = canary(stage, "start", "shop", "v2", "--wait", "--reason", "run 7", **job)
        assert again.returncode == 0, again.stdout + again.stderr

        with httpx.Client(base_url=address(stage), trust_env=False) as http:
            metrics = http.get("/metrics").text
            assert "canarybot_canaries_ended_total{" in metrics
            assert http.get("/healthz").status_code == 200
            assert http.get("/readyz").status_code == 200
            assert http.get("/v1/canaries").status_code == 401
            assert http.get("/openapi.json").json()["openapi"].startswith("3.")

        config = str(stage.places.folder / "canary.yaml")
        told = canary(stage, "audit", "--config", config)
        deeds = [json.loads(line) for line in told.stdout.splitlines()]
        assert any("token:shop-ci" in json.dumps(deed) for deed in deeds)
        export = tmp_path / "audit.jsonl"
        export.write_text(told.stdout)
        assert canary(stage, "audit", "--verify", str(export)).returncode == 0
        export.write_text(told.stdout.replace("shop-ci", "someone", 1))
        assert canary(stage, "audit", "--verify", str(export)).returncode == 1


def test_a_breach_ends_the_job_with_what_was_worse(tmp_path: Path) -> None:
    with on_stage(tmp_path, "errors", window=25) as stage:
        job = {"CANARY_TOKEN": token(stage, "shop-ci")}
        ended = canary(stage, "start", "shop", "v2", "--wait", **job)
        assert ended.returncode == 10, ended.stdout + ended.stderr
        assert "rrors" in ended.stdout
        assert stage.split() == {"blue": 100, "green": 0}


def test_a_token_decides_only_where_it_is_named(tmp_path: Path) -> None:
    """A risky change waits for a person, whoever has started it; anybody's token may abort it."""
    with on_stage(tmp_path, "risky", window=15) as stage:
        job = {"CANARY_TOKEN": token(stage, "shop-ci")}
        waiting: list[subprocess.CompletedProcess[str]] = []
        start = ("start", "shop", "v2", "--wait")
        thread = threading.Thread(target=lambda: waiting.append(canary(stage, *start, **job)))
        thread.start()
        stage.until("it waits for a decision", lambda: stage.says("promote shop v2?"))
        decider = {"CANARY_TOKEN": token(stage, "decider", "read,decide")}
        refused = canary(stage, "approve", "shop", **decider)
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert "may not approve" in refused.stdout + refused.stderr
        aborted = canary(stage, "abort", "shop", "--reason", "not today", **job)
        assert aborted.returncode == 0, aborted.stdout + aborted.stderr
        thread.join(30)
        assert [10] == [ended.returncode for ended in waiting]
        assert stage.split() == {"blue": 100, "green": 0}
