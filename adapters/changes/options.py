"""What may be configured of every source: how revisions are named, and which folders count."""

import os
import re
from datetime import timedelta
from typing import Annotated, Final

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from adapters.changes.names import checked
from adapters.durations import Duration

_REVISION: Final = "{revision}"


def _folder(text: str) -> str:
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if ".." in parts or "\\" in text:
        raise ValueError(f"{text!r} is no folder inside the repository; write it as services/shop")
    return "/".join(parts)


Folder = Annotated[str, AfterValidator(_folder)]
"""A folder or file, from the repository's root, with slashes."""


class SourceOptions(BaseModel):
    """What every source understands.

    Attributes:
        ref: the tag, branch or commit of a revision, with `{revision}` where the revision's name
            stands: `v{revision}`.
        path: the service's folder, where several services share a repository; only files below
            it count.
        also: other folders and files that count, shared libraries for example.
        patience: how long a question may take in all, second tries included.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ref: str = _REVISION
    path: Folder = ""
    also: tuple[Folder, ...] = ()
    patience: Annotated[Duration, Field(ge=timedelta(milliseconds=100))] = timedelta(seconds=20)

    @field_validator("ref")
    @classmethod
    def _has_the_revision(cls, ref: str) -> str:
        if ref.count(_REVISION) != 1:
            raise ValueError(
                f"`ref` needs {_REVISION} once, where the revision's name stands, for example "
                f"v{_REVISION}"
            )
        return ref

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders and files that count; empty when all do."""
        return (self.path, *self.also) if self.path else ()

    def counts(self, *paths: str) -> bool:
        """Whether one of these paths of a file is the service's."""
        return not self.folders or any(
            path == folder or path.startswith(f"{folder}/")
            for path in paths
            for folder in self.folders
        )

    def name_of(self, revision: str) -> str:
        """How a revision is named in git.

        Raises:
            Blind: git cannot have that name.

        """
        return checked(self.ref.replace(_REVISION, revision))


class ForgeOptions(SourceOptions):
    """What every code host understands beside that.

    Attributes:
        repository: the project's path there: `owner/name`, `group/subgroup/project`.
        token_env: the environment variable that holds a token; without one only what is public
            can be seen.
        url: the address of its API.
        labels: whether the labels of pull or merge requests are asked for; needs a right of its
            own on some hosts.

    """

    repository: str
    token_env: str | None = None
    url: str
    labels: bool = True

    @field_validator("repository")
    @classmethod
    def _is_a_path(cls, repository: str) -> str:
        parts = repository.split("/")
        if len(parts) < 2 or not all(
            re.fullmatch(r"[\w.-]+", part, re.ASCII) and part.strip(".") for part in parts
        ):
            raise ValueError(f"{repository!r} is no repository; write it as owner/name")
        return repository

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parts = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            parts = httpx.URL()
        if parts.scheme not in {"http", "https"} or not parts.host:
            raise ValueError("`url` must be an address that begins with https:// or http://")
        if parts.userinfo or parts.query or parts.fragment:
            raise ValueError(
                "`url` must hold no user, password, query or fragment; a token goes into the "
                "environment, and its variable's name into `token_env`"
            )
        return url.rstrip("/")

    @field_validator("token_env")
    @classmethod
    def _is_set(cls, name: str | None) -> str | None:
        if name is not None:
            _from_environment(name)
        return name

    @property
    def token(self) -> str | None:
        """The token, out of the environment; never to be shown.

        Raises:
            ValueError: the environment does not have it.

        """
        return None if self.token_env is None else _from_environment(self.token_env)


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise ValueError(
            f"the environment has no {name}; set it to a token that may read the repository, "
            "`token_env` is the name of the variable"
        )
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError(f"the value of {name} is no token: it holds spaces or other characters")
    return value
