"""Those who are told how canaries go: webhooks, and the places where code is kept."""

import re
from collections.abc import Mapping
from typing import Final, Protocol

import httpx

from adapters.publishing.code_host import CodeHostOptions
from adapters.publishing.github_deployments import GithubDeployments
from adapters.publishing.gitlab_deployments import GitlabDeployments
from adapters.publishing.signing import Signer
from adapters.publishing.webhook import Webhook, WebhookOptions
from bot.ports import Clock, PortError, Subscriber

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


class PublishingOptions(Protocol):
    """Everything that is configured about who is told; None where a code host is not."""

    @property
    def webhooks(self) -> Mapping[str, WebhookOptions]: ...  # noqa: D102 - said above
    @property
    def github(self) -> CodeHostOptions | None: ...  # noqa: D102 - as above
    @property
    def gitlab(self) -> CodeHostOptions | None: ...  # noqa: D102 - as above


def make_subscribers(
    options: PublishingOptions,
    http: httpx.AsyncClient,
    clock: Clock,
    environment: Mapping[str, str],
) -> dict[str, Subscriber]:
    """Make everybody who is told, by name: `webhook:` and its name, `github`, `gitlab`.

    Nobody is contacted.

    Args:
        options: what is configured.
        http: the shared client.
        clock: the wall clock.
        environment: where the secrets are, by the names that are configured.

    Raises:
        PortError: a secret is missing or cannot be one; one line for each.

    """
    made: dict[str, Subscriber] = {}
    problems: list[str] = []
    for name, webhook in options.webhooks.items():
        try:
            secrets = _secret(environment, webhook.secret_env, f"the webhook {name}'s secret")
            made[f"webhook:{name}"] = Webhook(
                name, webhook, _signer(secrets, webhook.secret_env), http, clock
            )
        except PortError as error:
            problems.append(str(error))
    for place, host, kind in (
        ("github", options.github, GithubDeployments),
        ("gitlab", options.gitlab, GitlabDeployments),
    ):
        if host is None or not host.deployments:
            continue
        try:
            made[place] = kind(host, _token(environment, host.token_env, place), http, clock)
        except PortError as error:
            problems.append(str(error))
    if problems:
        raise PortError("\n".join(problems))
    return made


def _signer(secrets: str, name: str) -> Signer:
    try:
        return Signer(secrets)
    except ValueError as error:
        raise PortError(f"{name} cannot be signed with: {error}") from None


def _token(environment: Mapping[str, str], name: str, place: str) -> str:
    token = _secret(environment, name, f"the token for {place}'s deployments")
    if not _TOKEN.fullmatch(token):
        raise PortError(
            f"{name} is no token: it holds spaces or characters that HTTP forbids; set it anew"
        )
    return token


def _secret(environment: Mapping[str, str], name: str, what: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise PortError(f"{name} is not set, and {what} is read from there; set it")
    return value
