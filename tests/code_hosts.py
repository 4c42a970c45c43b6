"""Doubles of the deployments APIs of GitHub and GitLab, with the rules that matter to us.

What they answer follows https://docs.github.com/en/rest/deployments and
https://docs.gitlab.com/api/deployments.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from servers import Reply, Web

GITHUB_STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
GITLAB_STATES = {"running", "success", "failed", "canceled"}


def kind(**headers: str) -> str:
    """A content type, and more headers behind it."""
    more = "".join(f"\r\n{name.replace('_', '-')}: {value}" for name, value in headers.items())
    return f"application/json; charset=utf-8{more}"


def answer(status: int, body: Any, **headers: str) -> Reply:
    return status, kind(**headers), json.dumps(body)


@dataclass
class Github:
    """One repository, example/shop, with these refs."""

    token: str
    refs: set[str] = field(default_factory=lambda: {"v2", "v3"})
    deployments: list[dict[str, Any]] = field(default_factory=list)
    posted: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    payload_as_text: bool = False
    instead: list[Reply] = field(default_factory=list)
    lost: int = 0
    web: Web | None = None

    def __call__(self, method: str, path: str, body: bytes) -> Reply:
        """Answer; `lost` answers are dropped after their work was done."""
        if self.instead:
            return self.instead.pop(0)
        assert self.web is not None
        if self.web.headers[-1].get("authorization") != f"Bearer {self.token}":
            return answer(401, {"message": "Bad credentials"})
        made = self._do(method, path, body)
        if method == "POST" and self.lost:
            self.lost -= 1
            return 502, "text/html", "<html>bad gateway</html>"
        return made

    def statuses(self) -> list[str]:
        return [body["state"] for _, body in self.posted]

    def _do(self, method: str, path: str, body: bytes) -> Reply:
        parts = urlsplit(path)
        match [method, *parts.path.strip("/").split("/")]:
            case ["GET", "repos", "example", "shop", "deployments"]:
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                found = [
                    self._shown(one)
                    for one in reversed(self.deployments)
                    if all(one[name] == asked[name] for name in ("ref", "environment"))
                ]
                return answer(200, found[: int(asked.get("per_page", "30"))])
            case ["POST", "repos", "example", "shop", "deployments"]:
                return self._create(json.loads(body))
            case ["GET", "repos", "example", "shop", "deployments", number, "statuses"]:
                newest = [body for one, body in reversed(self.posted) if one == int(number)]
                return answer(200, newest[: int(parse_qs(parts.query)["per_page"][0])])
            case ["POST", "repos", "example", "shop", "deployments", number, "statuses"]:
                return self._say(int(number), json.loads(body))
            case _:
                return answer(404, {"message": "Not Found"})

    def _shown(self, deployment: dict[str, Any]) -> dict[str, Any]:
        payload = deployment["payload"]
        return {**deployment, "payload": json.dumps(payload) if self.payload_as_text else payload}

    def _create(self, body: dict[str, Any]) -> Reply:
        if body["ref"] not in self.refs:
            return answer(422, {"message": f"No ref found for: {body['ref']}"})
        if body.get("auto_merge", True):
            return answer(202, {"message": "Auto-merged main into v2 on deployment."})
        if body.get("required_contexts") != []:
            return answer(409, {"message": "Conflict: Commit status checks failed for v2."})
        made = {"id": 70 + len(self.deployments), **body}
        self.deployments.append(made)
        return answer(201, self._shown(made))

    def _say(self, number: int, body: dict[str, Any]) -> Reply:
        if number not in [one["id"] for one in self.deployments]:
            return answer(404, {"message": "Not Found"})
        if body["state"] not in GITHUB_STATES or len(body["description"]) > 140:
            wrong = [{"resource": "DeploymentStatus", "message": "description is too long"}]
            return answer(422, {"message": "Validation Failed", "errors": wrong})
        self.posted.append((number, body))
        return answer(201, {"id": len(self.posted), **body})


@dataclass
class Gitlab:
    """One project, example/team/shop, whose tags are commits."""

    token: str
    commits: dict[str, str] = field(default_factory=lambda: {"v2": "a" * 40, "v3": "b" * 40})
    now: str = "2026-03-02T12:00:01.000Z"
    deployments: list[dict[str, Any]] = field(default_factory=list)
    lost: int = 0
    web: Web | None = None

    def __call__(self, method: str, path: str, body: bytes) -> Reply:
        """Answer; `lost` answers to changes are dropped after their work was done."""
        assert self.web is not None
        if self.web.headers[-1].get("private-token") != self.token:
            return answer(401, {"message": "401 Unauthorized"})
        made = self._do(method, path, body)
        if method != "GET" and self.lost:
            self.lost -= 1
            return 502, "text/html", "<html>bad gateway</html>"
        return made

    def _do(self, method: str, path: str, body: bytes) -> Reply:
        parts = urlsplit(path)
        match [method, *parts.path.strip("/").split("/")]:
            case ["GET", "api", "v4", "projects", "example%2Fteam%2Fshop", *rest] if (
                rest[:2] == ["repository", "commits"] and len(rest) == 3
            ):
                sha = self.commits.get(unquote(rest[2]))
                if sha is None:
                    return answer(404, {"message": "404 Commit Not Found"})
                return answer(200, {"id": sha})
            case ["GET", "api", "v4", "projects", "example%2Fteam%2Fshop", "deployments"]:
                return answer(200, list(reversed(self.deployments)))
            case ["POST", "api", "v4", "projects", "example%2Fteam%2Fshop", "deployments"]:
                made = {
                    "id": 40 + len(self.deployments),
                    "created_at": self.now,
                    "deployable": None,
                    **json.loads(body),
                }
                if made["status"] not in GITLAB_STATES or not made["sha"]:
                    return answer(400, {"error": "status does not have a valid value"})
                self.deployments.append(made)
                return answer(201, made)
            case ["PUT", "api", "v4", "projects", "example%2Fteam%2Fshop", "deployments", number]:
                return self._update(int(number), json.loads(body)["status"])
            case _:
                return answer(404, {"message": "404 Project Not Found"})

    def _update(self, number: int, status: str) -> Reply:
        for one in self.deployments:
            if one["id"] == number:
                if one["deployable"]:
                    return answer(403, {"message": "403 Forbidden - made by GitLab CI"})
                if status == one["status"] or status not in GITLAB_STATES - {"running"}:
                    return answer(400, {"message": {"status": ["Cannot transition status"]}})
                one["status"] = status
                return answer(200, one)
        return answer(404, {"message": "404 Not found"})
