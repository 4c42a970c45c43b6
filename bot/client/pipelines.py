"""What the pipeline that runs us says of itself."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Final

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
    for run, place in _RUNS:
        if env.get(run):
            told = "\n".join((run, env[run], env.get(place, ""), service, revision))
            return f"{run.lower()}-{hashlib.sha256(told.encode()).hexdigest()[:40]}"
    return secrets.token_hex(20)
