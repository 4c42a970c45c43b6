"""What the pipeline that runs us says of itself."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Final

_ATTEMPTS: Final = {
    "GITHUB_RUN_ID": "GITHUB_RUN_ATTEMPT",
    "CI_PIPELINE_ID": "CI_JOB_ID",
    "BUILDKITE_BUILD_ID": "BUILDKITE_RETRY_COUNT",
}
"""What tells a run from the same run when somebody has it done again."""

_RUNS: Final = (
    ("GITHUB_RUN_ID", "GITHUB_REPOSITORY"),
    ("CI_PIPELINE_ID", "CI_SERVER_HOST"),
    ("BUILD_TAG", "JENKINS_URL"),
    ("BUILDKITE_BUILD_ID", ""),
    ("CIRCLE_WORKFLOW_ID", ""),
)
"""What names a run, the same when it is run again, and the place in which it does."""


def key_for(service: str, revision: str, env: Mapping[str, str]) -> str:
    """An idempotency key: of this run where there is one, otherwise one that nobody has."""
    return _named(service, revision, env) or secrets.token_hex(20)


def key_for_another(service: str, revision: str, env: Mapping[str, str]) -> str:
    """The key of a run that is done again, after the canary of the time before failed.

    Empty where nothing tells the two apart.
    """
    run = next((run for run, _ in _RUNS if env.get(run)), "")
    attempt = env.get(_ATTEMPTS.get(run, ""), "")
    return _named(service, revision, env, attempt) if attempt else ""


def _named(service: str, revision: str, env: Mapping[str, str], attempt: str = "") -> str:
    for run, place in _RUNS:
        if env.get(run):
            told = [run, env[run], env.get(place, ""), service, revision]
            told += [attempt] if attempt else []
            digest = hashlib.sha256("\n".join(told).encode()).hexdigest()[:40]
            return f"{run.lower()}-{digest}"
    return ""
