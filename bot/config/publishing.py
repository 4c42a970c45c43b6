"""Who is told how canaries go: webhooks, and deployments where the code is kept.

```yaml
webhooks:
  dashboard:
    url: https://hooks.example/canaries
    secret_env: DASHBOARD_WEBHOOK_SECRET    # whsec_…; two with a space between during a rotation
    events: [promoted, rolled_back]         # default: waiting and every end
    services: [shop]                        # default: all

github:
  token_env: GITHUB_TOKEN
  deployments:
    shop: {repository: example/shop, ref: "v{revision}", environment: production}
```
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.config.tiers import Strict
from bot.config.units import unknown
from bot.core.effects import Milestone

T = TypeVar("T")

USUAL: Final = (
    Milestone.WAITING,
    Milestone.PROMOTED,
    Milestone.ROLLED_BACK,
    Milestone.REJECTED,
)
"""What a webhook hears of unless it says otherwise: a person is needed, or it has ended."""

LONGEST_URL: Final = 2000

_MARK: Final = re.compile(r"\{[^{}]*\}?")
_REF_MARKS: Final = ("{revision}", "{service}")
_URL_MARKS: Final = ("{revision}", "{service}", "{canary_id}")


def _event(value: Any) -> Milestone:
    """An event by its name.

    Raises:
        ValueError: there is none of that name; the text lists those that there are.

    """
    known = [milestone.value for milestone in Milestone]
    if str(value) not in known:
        raise ValueError(unknown("event", str(value), known))
    return Milestone(str(value))


def _some(value: tuple[T, ...]) -> tuple[T, ...]:
    if not value:
        raise ValueError(
            "this list is empty, so nothing would ever be sent: leave it out, or fill it"
        )
    return value


def _variable(value: str) -> str:
    # What was mistyped is not repeated: it may be the secret itself.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", value):
        raise ValueError(
            "this is no name of an environment variable: a secret itself does not belong into this "
            "file, only the name it is set under"
        )
    return value


def _marked(value: str, known: Iterable[str]) -> str:
    for found in _MARK.findall(value):
        if found not in known:
            raise ValueError(f"{found} cannot be filled in; known: {', '.join(known)}")
    return value


def _ref(value: str) -> str:
    if not value.strip() or "{revision}" not in value:
        raise ValueError(
            f"{value!r} would be the same of every revision; write for example v{{revision}}"
        )
    return _marked(value, _REF_MARKS)


def _link(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s<>|]{3,2000}", value):
        raise ValueError("this is no address to link to; write https://host/path")
    return _marked(value, _URL_MARKS)


def _repository(value: str) -> str:
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+", value, re.ASCII) or {".", ".."} & {
        *value.split("/")
    }:
        raise ValueError(f"{value!r} is no repository; write owner/name")
    return value


Event = Annotated[Milestone, BeforeValidator(_event)]
Variable = Annotated[str, AfterValidator(_variable)]
Ref = Annotated[str, AfterValidator(_ref)]
Link = Annotated[str, AfterValidator(_link)]
Repository = Annotated[str, AfterValidator(_repository)]


class WebhookSettings(Strict):
    """A receiver of signed webhooks.

    Attributes:
        url: where to; https, unless it is nearby.
        secret_env: the environment's name for its secrets, `whsec_…`: during a rotation the new
            and the old one, with a space between them.
        events: what it is told of.
        services: whose canaries; every service's unless it says so.
        allow_http: whether notices may travel unencrypted to an address that is not nearby.

    """

    url: str
    secret_env: Variable
    events: Annotated[tuple[Event, ...], AfterValidator(_some)] = USUAL
    services: Annotated[tuple[str, ...], AfterValidator(_some)] | None = None
    allow_http: bool = False

    @model_validator(mode="after")
    def _address_is_safe(self) -> "WebhookSettings":
        parts = _address(self.url)
        if parts.scheme == "http" and not self.allow_http and not _is_nearby(parts):
            raise ValueError(
                "an http:// address carries notices unencrypted: write https://, or allow_http: "
                "true where the network between is yours"
            )
        return self


class DeploymentSettings(Strict):
    """How the deployments of one service are shown.

    Attributes:
        repository: `owner/name`.
        environment: under which name.
        ref: the tag, branch or commit of a revision; `{revision}` and `{service}` are filled in.
        environment_url: where the service is to be seen.
        log_url: where the rollout is to be seen; the service's first dashboard unless it says so.
            `{service}`, `{revision}` and `{canary_id}` are filled in in both.

    """

    repository: Repository
    environment: Annotated[str, Field(min_length=1, max_length=255)] = "production"
    ref: Ref = "{revision}"
    environment_url: Link = ""
    log_url: Link = ""


class CodeHostSettings(Strict):
    """Where code is kept, and which services' deployments are shown there.

    Attributes:
        token_env: the environment's name for a token that may write deployments.
        url: of its API.
        deployments: by service.

    """

    token_env: Variable
    url: str
    deployments: dict[str, DeploymentSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _address_is_safe(self) -> "CodeHostSettings":
        parts = _address(self.url)
        if parts.query or parts.fragment:
            raise ValueError("an API's address ends with its path: take out ? and # and the rest")
        if parts.scheme == "http" and not _is_nearby(parts):
            raise ValueError(
                "an http:// address would carry the token unencrypted: write https://"
            )
        return self


class GithubSettings(CodeHostSettings):
    """GitHub, or a GitHub Enterprise Server: `url: https://github.example/api/v3`."""

    token_env: Variable = "GITHUB_TOKEN"  # noqa: S105 - a name, not a token
    url: str = "https://api.github.com"


class GitlabSettings(CodeHostSettings):
    """GitLab's own, or one of yours: `url: https://gitlab.example/api/v4`."""

    token_env: Variable = "GITLAB_TOKEN"  # noqa: S105 - a name, not a token
    url: str = "https://gitlab.com/api/v4"


def subscribers_of(
    service: str,
    webhooks: dict[str, WebhookSettings],
    github: GithubSettings | None,
    gitlab: GitlabSettings | None,
) -> tuple[str, ...]:
    """The names of everybody who is told of this service's canaries."""
    names = [
        f"webhook:{name}"
        for name, webhook in webhooks.items()
        if webhook.services is None or service in webhook.services
    ]
    names += ["github"] if github and service in github.deployments else []
    names += ["gitlab"] if gitlab and service in gitlab.deployments else []
    return tuple(names)


def strangers(
    services: Iterable[str],
    webhooks: dict[str, WebhookSettings],
    github: GithubSettings | None,
    gitlab: GitlabSettings | None,
) -> tuple[tuple[tuple[str | int, ...], str], ...]:
    """Services that are named and not configured: where in the file, and a sentence about it."""
    known = set(services)
    found: list[tuple[tuple[str | int, ...], str]] = []
    for name, webhook in webhooks.items():
        found += [
            (("webhooks", name, "services", index), unknown("service", service, known))
            for index, service in enumerate(webhook.services or ())
            if service not in known
        ]
    for place, host in (("github", github), ("gitlab", gitlab)):
        found += [
            ((place, "deployments", service), unknown("service", service, known))
            for service in (host.deployments if host else ())
            if service not in known
        ]
    return tuple(found)


def _address(url: str) -> SplitResult:
    """The address in parts; what is wrong with it does not repeat it, it may hold a secret.

    Raises:
        ValueError: it is none, or it holds a password.

    """
    wanted = "this is no address; write https://host/path"
    if len(url) > LONGEST_URL:
        raise ValueError(f"this address is longer than {LONGEST_URL} characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in {"http", "https"} or not host or re.search(r"[\s\x00-\x1f\\]", url):
        raise ValueError(wanted)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a name and password do not belong into an address: take them out")
    return parts


def _is_nearby(parts: SplitResult) -> bool:
    """Whether it never leaves the machine or the private network."""
    host = (parts.hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or (address.is_private and not address.is_link_local)
