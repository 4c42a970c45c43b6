"""Shows canaries as deployments at GitLab: one a canary, running until it has ended.

GitLab keeps no identity of ours with a deployment, so a canary's is the one of its commit in its
environment that was made since the canary began. It has no words for waiting or for why, either.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import httpx

from adapters.publishing.code_host import CodeHost, CodeHostOptions, DeploymentOptions, ref_of
from bot.core.canary import Canary
from bot.core.effects import Milestone
from bot.ports import Clock, Declined, Notice, PortError

ENDS: Final = {
    Milestone.PROMOTED: "success",
    Milestone.ROLLED_BACK: "failed",
    Milestone.REJECTED: "canceled",
}
"""How an end is called at GitLab; everything before it is "running"."""
RUNNING: Final = "running"
CLOCKS: Final = timedelta(minutes=2)
"""How far GitLab's clock may be from ours."""
MOST_KEPT: Final = 1000


@dataclass(slots=True)
class _Deployment:
    id: int
    status: str


class GitlabDeployments:
    """Tells GitLab of the services that have a project there."""

    def __init__(
        self, options: CodeHostOptions, token: str, http: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._options = options
        self._host = CodeHost("GitLab", options, {"PRIVATE-TOKEN": token}, http, clock)
        self._known: dict[str, _Deployment] = {}

    async def notify(self, notice: Notice) -> None:
        """See `Subscriber.notify`; an ended deployment is never running again."""
        canary = notice.canary
        options = self._options.deployments.get(canary.service)
        wanted = ENDS.get(notice.milestone, RUNNING)
        if options is None or (canary.undoes and wanted == RUNNING):
            return
        deployment = await self._deployment(options, canary)
        if wanted in {RUNNING, deployment.status}:
            return
        path = f"{_project(options)}/deployments/{deployment.id}"
        # Forgotten meanwhile: what fails may have been taken, and then it is looked up again.
        self._known.pop(_key(canary), None)
        await self._host.ask("PUT", path, about=options.repository, body={"status": wanted})
        deployment.status = wanted
        self._keep(_key(canary), deployment)

    async def _deployment(self, options: DeploymentOptions, canary: Canary) -> _Deployment:
        """The canary's deployment: known, found, or made."""
        key = _key(canary)
        if key not in self._known:
            sha = await self._commit(options, canary)
            found = await self._find(options, canary, sha)
            self._keep(key, found or await self._create(options, canary, sha))
        return self._known[key]

    def _keep(self, key: str, deployment: _Deployment) -> None:
        self._known[key] = deployment
        while len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]

    async def _commit(self, options: DeploymentOptions, canary: Canary) -> str:
        ref = ref_of(options, canary)
        commit = await self._host.ask(
            "GET",
            f"{_project(options)}/repository/commits/{quote(ref, safe='')}",
            about=f"{options.repository}, ref {ref}",
        )
        sha = commit.get("id") if isinstance(commit, dict) else None
        if not isinstance(sha, str):
            raise Declined(
                f"GitLab knows no commit of {options.repository}, ref {ref}; check the configured "
                "ref"
            )
        return sha

    async def _find(
        self, options: DeploymentOptions, canary: Canary, sha: str
    ) -> _Deployment | None:
        params = {
            "environment": options.environment,
            "order_by": "id",
            "sort": "desc",
            "per_page": "100",
        }
        answer = await self._host.ask(
            "GET", f"{_project(options)}/deployments", about=options.repository, params=params
        )
        for one in answer if isinstance(answer, list) else ():
            # What a pipeline of GitLab's own has made only that pipeline may end.
            if not isinstance(one, dict) or one.get("sha") != sha or one.get("deployable"):
                continue
            number, made_at = one.get("id"), _moment(one.get("created_at"))
            # A canary that undoes another looks for that one's, which was made before.
            is_ours = made_at is not None and made_at >= canary.created_at - CLOCKS
            if isinstance(number, int) and (is_ours or canary.undoes):
                return _Deployment(number, str(one.get("status")))
        return None

    async def _create(self, options: DeploymentOptions, canary: Canary, sha: str) -> _Deployment:
        body = {
            "environment": options.environment,
            "sha": sha,
            "ref": ref_of(options, canary),
            "tag": False,
            "status": RUNNING,
        }
        made = await self._host.ask(
            "POST", f"{_project(options)}/deployments", about=options.repository, body=body
        )
        number = made.get("id") if isinstance(made, dict) else None
        if not isinstance(number, int):
            raise PortError(
                f"GitLab made no deployment of {options.repository}, and does not say why; look "
                "at the project's environments"
            )
        return _Deployment(number, RUNNING)


def _key(canary: Canary) -> str:
    return canary.undoes or canary.id


def _project(options: DeploymentOptions) -> str:
    return f"/projects/{quote(options.repository, safe='')}"


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else None
