"""Shows canaries as deployments at GitHub: one a canary, and a status for each of its milestones.

A canary that undoes a promoted one has no deployment of its own: it fails that of the other.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

import httpx

from adapters.publishing.code_host import (
    CodeHost,
    CodeHostOptions,
    DeploymentOptions,
    log_url,
    on_one_line,
    ref_of,
)
from adapters.publishing.content import cause_of, filled
from bot.core.canary import Canary
from bot.core.effects import Milestone
from bot.ports import Clock, Notice, PortError

STATES: Final = {
    Milestone.STARTED: "in_progress",
    Milestone.WAITING: "pending",
    Milestone.OBSERVING: "in_progress",
    Milestone.PAUSED: "pending",
    Milestone.PROMOTING: "in_progress",
    Milestone.ROLLING_BACK: "in_progress",
    Milestone.PROMOTED: "success",
    Milestone.ROLLED_BACK: "failure",
    Milestone.REJECTED: "error",  # an inactive one starts no workflow that waits for the end
}
"""How a milestone is called at GitHub."""
LONGEST_DESCRIPTION: Final = 140
MOST_KEPT: Final = 1000
"""Deployments whose ids are kept in memory; the others are looked up again."""
VERSION: Final = "2022-11-28"


@dataclass(slots=True)
class _Deployment:
    """One at GitHub: its id, its newest status, and the newest notice it was told of."""

    id: int
    said: tuple[str, str] | None = None
    told: tuple[str, int] = ("", 0)


class GithubDeployments:
    """Tells GitHub of the services that have a repository there."""

    def __init__(
        self, options: CodeHostOptions, token: str, http: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._options = options
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
        }
        self._host = CodeHost("GitHub", options, headers, http, clock)
        self._known: dict[str, _Deployment] = {}

    async def notify(self, notice: Notice) -> None:
        """See `Subscriber.notify`; a status that is there already is not posted again."""
        canary = notice.canary
        options = self._options.deployments.get(canary.service)
        if options is None:
            return
        deployment = await self._deployment(options, notice)
        about, number = deployment.told
        if about == canary.id and notice.number < number:
            return  # what is true by now has been told
        said = (STATES[notice.milestone], description(notice))
        if deployment.said != said:
            # Forgotten meanwhile: what fails may have been taken, and then it is looked up again.
            self._known.pop(_key(canary), None)
            await self._post(options, notice, deployment.id, said)
        deployment.said, deployment.told = said, (canary.id, notice.number)
        self._keep(_key(canary), deployment)

    async def _post(
        self, options: DeploymentOptions, notice: Notice, number: int, said: tuple[str, str]
    ) -> None:
        state, text = said
        body: dict[str, Any] = {
            "state": state,
            "description": text,
            "auto_inactive": state == "success",
        }
        if url := log_url(options, notice):
            body["log_url"] = url
        if options.environment_url:
            body["environment_url"] = filled(options.environment_url, notice.canary)
        path = f"/repos/{options.repository}/deployments/{number}/statuses"
        await self._host.ask("POST", path, about=_about(options), body=body)

    async def _deployment(self, options: DeploymentOptions, notice: Notice) -> _Deployment:
        """The canary's deployment: known, found, or made."""
        canary = notice.canary
        key = _key(canary)
        if key not in self._known:
            found = await self._find(options, canary, key)
            self._keep(key, found or await self._create(options, notice, key))
        return self._known[key]

    def _keep(self, key: str, deployment: _Deployment) -> None:
        self._known[key] = deployment
        while len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]

    async def _find(
        self, options: DeploymentOptions, canary: Canary, key: str
    ) -> _Deployment | None:
        """The one that was made for this canary, by whichever replica, and its newest status."""
        path, about = f"/repos/{options.repository}/deployments", _about(options)
        params = {
            "ref": ref_of(options, canary),
            "environment": options.environment,
            "per_page": "100",
        }
        for one in _list(await self._host.ask("GET", path, about=about, params=params)):
            number = one.get("id")
            if _payload(one).get("canary_id") != key or not isinstance(number, int):
                continue
            statuses = _list(
                await self._host.ask(
                    "GET", f"{path}/{number}/statuses", about=about, params={"per_page": "1"}
                )
            )
            said = None
            if statuses:
                said = (str(statuses[0].get("state")), str(statuses[0].get("description")))
            return _Deployment(number, said)
        return None

    async def _create(self, options: DeploymentOptions, notice: Notice, key: str) -> _Deployment:
        canary = notice.canary
        text = f"Canary of {canary.service} {canary.revision}, tier {canary.plan.tier}"
        body = {
            "ref": ref_of(options, canary),
            "environment": options.environment,
            "auto_merge": False,
            "required_contexts": [],
            "payload": {"canary_id": key, "service": canary.service},
            "description": on_one_line(text, LONGEST_DESCRIPTION),
        }
        path = f"/repos/{options.repository}/deployments"
        made = await self._host.ask("POST", path, about=_about(options, body["ref"]), body=body)
        number = made.get("id") if isinstance(made, dict) else None
        if not isinstance(number, int):
            raise PortError(
                f"GitHub made no deployment of {_about(options)}, and does not say why; look at "
                "the repository's rules for deployments"
            )
        return _Deployment(number)


def description(notice: Notice) -> str:
    """What happened, in at most 140 characters; of a rollback, which objective was missed."""
    canary = notice.canary
    text = notice.detail
    cause = cause_of(canary)
    if notice.milestone in {Milestone.ROLLING_BACK, Milestone.ROLLED_BACK} and cause:
        worst = min(cause.findings, key=lambda finding: finding.chance, default=None)
        missed = f"{worst.sli}: " if worst and worst.sli not in cause.text else ""
        verb = "Rolled back" if notice.milestone is Milestone.ROLLED_BACK else "Rolling back"
        text = f"{verb}: {missed}{cause.text}"
    if not text:
        text = f"Canary {canary.id}: {notice.milestone.value.replace('_', ' ')}"
    return on_one_line(text, LONGEST_DESCRIPTION)


def _key(canary: Canary) -> str:
    return canary.undoes or canary.id


def _about(options: DeploymentOptions, ref: object = "") -> str:
    return f"{options.repository}{f', ref {ref}' if ref else ''}"


def _list(answer: Any) -> list[dict[str, Any]]:
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []


def _payload(deployment: dict[str, Any]) -> dict[str, Any]:
    """What was given along at the start, which GitHub answers as an object or as text."""
    payload = deployment.get("payload")
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return {}
    return payload if isinstance(payload, dict) else {}
