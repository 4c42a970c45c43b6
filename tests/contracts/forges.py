"""Doubles of GitHub's and GitLab's APIs: real HTTP servers on loopback over a real repository.

They answer the few questions a comparison needs in the hosts' own shapes, with their limits: 300
files and 250 commits of a comparison, pages, the words of their refusals.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from contracts.forge_server import Forge, Says
from contracts.histories import History


class GitHub(Forge):
    """As on api.github.com."""

    kind = "github"

    def _unknown_token(self) -> Says:
        return Says(401, {"message": "Bad credentials", "status": "401"})

    def _told(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Says:
        missing = Says(404, {"message": "Not Found", "status": "404"})
        matched = re.fullmatch(rf"/repos/{self.repository}/(\w+)(?:/(.*))?", path)
        if not matched:
            return missing
        kind, rest = matched[1], matched[2] or ""
        match kind:
            case "commits" if rest.endswith("/pulls"):
                names = self.labels.get(rest.removesuffix("/pulls"), [])
                return Says(200, [{"number": 1, "labels": [{"name": one} for one in names]}])
            case "commits":
                commit = self.commit_of(unquote(rest))
                if commit is None:
                    return Says(422, {"message": f"No commit found for SHA: {unquote(rest)}"})
                assert headers["Accept"] == "application/vnd.github.sha"
                return Says(200, commit.encode())
            case "compare":
                base, _, head = rest.partition("...")
                return self._compared(base, head, query)
            case "contents" if headers["Accept"] == "application/json":
                return self._listed(query["ref"], unquote(rest))
            case "contents":
                assert headers["Accept"] == "application/vnd.github.raw+json"
                blob = self.blob(query["ref"], unquote(rest))
                return missing if blob is None else Says(200, blob)
            case "tags":
                names = self.history.git("tag").decode().split()
                return Says(200, [{"name": name} for name in names])
            case _:
                return missing

    def _listed(self, commit: str, folder: str) -> Says:
        kinds = {"040000": "dir", "120000": "symlink"}
        found = self.inside(commit, folder)
        if not found:
            return Says(404, {"message": "Not Found", "status": "404"})
        return Says(
            200,
            [
                {"type": kinds.get(mode, "file"), "path": path, "size": int(size.strip("-") or 0)}
                for mode, size, path in found
            ],
        )

    def _compared(self, base: str, head: str, query: Mapping[str, str]) -> Says:
        common = self.history.git("merge-base", base, head).decode().strip()
        ahead, behind = self.log(f"{base}..{head}")[::-1], self.log(f"{head}..{base}")
        states = {(0, 0): "identical", (1, 0): "ahead", (0, 1): "behind", (1, 1): "diverged"}
        shown, first = ahead[-250:], True
        if "page" in query:
            size, page = min(int(query.get("per_page", 30)), 100), int(query["page"])
            shown, first = ahead[(page - 1) * size : page * size], page == 1
        return Says(
            200,
            {
                "html_url": f"https://github.com/{self.repository}/compare/{base}...{head}",
                "status": states[min(len(ahead), 1), min(len(behind), 1)],
                "ahead_by": len(ahead),
                "behind_by": len(behind),
                "total_commits": len(ahead),
                "merge_base_commit": {"sha": common},
                "commits": [self._commit(*one) for one in shown],
                "files": [self._file(common, head, one) for one in self.files(common, head)[:300]]
                if first
                else [],
            },
        )

    def _commit(self, sha: str, email: str, date: str, message: str) -> dict[str, Any]:
        person = {"name": email.partition("@")[0], "email": email, "date": date}
        login = {"login": email.partition("@")[0]} if email.startswith("bob") else None
        return {
            "sha": sha,
            "commit": {"message": message.rstrip("\n"), "author": person, "committer": person},
            "author": login,
        }

    def _file(self, base: str, head: str, one: tuple[str, str, str, str]) -> dict[str, Any]:
        code, old, new, blob = one
        words = {"A": "added", "M": "modified", "D": "removed", "R": "renamed"}
        lines = self.patch(base, head, old, new).split("\n")
        told: dict[str, Any] = {
            "sha": blob,
            "filename": new,
            "status": words[code],
            "additions": sum(line.startswith("+") for line in lines),
            "deletions": sum(line.startswith("-") for line in lines),
        }
        told |= {"patch": "\n".join(lines).rstrip("\n")} if lines[0].startswith("@@") else {}
        return told | ({"previous_filename": old} if code == "R" else {})


class GitLab(Forge):
    """As on gitlab.com/api/v4.

    Attributes:
        large: paths whose diff is left out for its size.

    """

    kind = "gitlab"
    header = "PRIVATE-TOKEN"

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self.large: set[str] = set()

    def _unknown_token(self) -> Says:
        return Says(401, {"message": "401 Unauthorized"})

    def _told(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Says:
        project = self.repository.replace("/", "%2F")
        matched = re.fullmatch(rf"/api/v4/projects/{project}/repository/(\w+)(?:/(.*))?", path)
        if not matched:
            return Says(404, {"message": "404 Project Not Found"})
        kind, rest = matched[1], matched[2] or ""
        match kind:
            case "commits" if rest.endswith("/merge_requests"):
                names = self.labels.get(rest.removesuffix("/merge_requests"), [])
                return Says(200, [{"iid": 1, "labels": names}])
            case "commits" if rest:
                commit = self.commit_of(unquote(rest))
                if commit is None or "/" in rest:
                    return Says(404, {"message": "404 Commit Not Found"})
                return Says(200, self._commit(*self.log(f"{commit}^!")[0]))
            case "commits":
                size, page = min(int(query.get("per_page", 20)), 100), int(query.get("page", 1))
                found = self.log(query["ref_name"])[(page - 1) * size : page * size]
                return Says(200, [self._commit(*one) for one in found])
            case "compare":
                return self._compared(query["from"], query["to"], query.get("straight") == "true")
            case "files" if rest.endswith("/raw") and rest.count("/") == 1:
                blob = self.blob(query["ref"], unquote(rest.removesuffix("/raw")))
                return (
                    Says(404, {"message": "404 File Not Found"})
                    if blob is None
                    else Says(200, blob)
                )
            case "tree":
                size, page = min(int(query.get("per_page", 20)), 100), int(query.get("page", 1))
                entries = self.inside(query["ref"], query["path"])
                if not entries:
                    return Says(404, {"message": "404 invalid revision or path Not Found"})
                cut = entries[(page - 1) * size : page * size]
                return Says(200, [{"path": path, "mode": mode} for mode, _, path in cut])
            case "tags":
                names = self.history.git("tag").decode().split()
                return Says(200, [{"name": name} for name in names])
            case _:
                return Says(404, {"error": "404 Not Found"})

    def _compared(self, base: str, head: str, straight: bool) -> Says:
        start = base if straight else self.history.git("merge-base", base, head).decode().strip()
        files = self.files(start, head)
        commits = [self._commit(*one) for one in self.log(f"{base}..{head}")[::-1]]
        return Says(
            200,
            {
                "commit": commits[-1] if commits else None,
                "commits": commits,
                "diffs": [self._diff(start, head, one) for one in files[:1000]],
                "compare_timeout": len(files) > 1000,
                "compare_same_ref": base == head,
                "web_url": f"https://gitlab.com/{self.repository}/-/compare/{base}...{head}",
            },
        )

    def _commit(self, sha: str, email: str, date: str, message: str) -> dict[str, Any]:
        return {
            "id": sha,
            "short_id": sha[:8],
            "title": message.split("\n", 1)[0],
            "message": message,
            "author_email": email,
            "created_at": date,
            "committed_date": date,
        }

    def _diff(self, base: str, head: str, one: tuple[str, str, str, str]) -> dict[str, Any]:
        code, old, new, _ = one
        is_large = new in self.large
        return {
            "old_path": old,
            "new_path": new,
            "a_mode": "100644",
            "b_mode": "100644",
            "diff": "" if is_large else self.patch(base, head, old, new),
            "collapsed": False,
            "too_large": is_large,
            "new_file": code == "A",
            "renamed_file": code == "R",
            "deleted_file": code == "D",
        }
