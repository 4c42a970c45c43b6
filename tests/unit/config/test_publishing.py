"""Who is told, as it is configured: safe addresses, no secrets, and names that exist."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from bot.config.publishing import (
    DeploymentSettings,
    GithubSettings,
    GitlabSettings,
    WebhookSettings,
    strangers,
    subscribers_of,
)
from bot.core.effects import Milestone


def said(model: Callable[..., object], **values: Any) -> str:
    """What is wrong with it, as the file's reader is told it."""
    with pytest.raises(ValidationError) as failed:
        model(**values)
    (found,) = failed.value.errors()
    return str(found.get("ctx", {}).get("error", found["msg"]))


def a_webhook(**changes: Any) -> WebhookSettings:
    return WebhookSettings(**{"url": "https://hooks.example/x", "secret_env": "HOOK", **changes})


def test_unless_told_otherwise_a_webhook_hears_of_waiting_and_every_end() -> None:
    """That is when somebody has to do something."""
    hook = a_webhook()
    ends = (Milestone.PROMOTED, Milestone.ROLLED_BACK, Milestone.REJECTED)
    assert hook.events == (Milestone.WAITING, *ends)
    assert hook.services is None


def test_a_mistyped_event_is_told_with_those_that_there_are() -> None:
    """And with the likely one."""
    text = said(a_webhook, events=("rolledback",))
    assert "unknown event 'rolledback'" in text
    assert "Did you mean rolled_back?" in text
    assert all(milestone.value in text for milestone in Milestone)


@pytest.mark.parametrize("name", ["events", "services"])
def test_an_empty_list_is_no_way_to_say_all(name: str) -> None:
    """Nor is it one to say none: then there is no need for the webhook."""
    assert "leave it out, or fill it" in said(a_webhook, **{name: []})


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/x", "https://[2001:db8::1]:8443/x", "http://127.0.0.1:8000",
        "http://localhost/x", "http://10.1.2.3/x", "http://192.168.0.9", "http://[::1]/x",
        "http://[fd00::1]/",
    ],
)  # fmt: skip
def test_an_address_that_is_encrypted_or_nearby_is_taken(url: str) -> None:
    assert a_webhook(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/s3cret", "http://8.8.8.8/s3cret", "http://169.254.169.254/s3cret",
        "http://localhost.example/s3cret", "http://relay/s3cret",
    ],
)  # fmt: skip
def test_an_unencrypted_address_far_away_has_to_be_wanted(url: str) -> None:
    """The sentence does not repeat it: an address may hold a secret."""
    text = said(a_webhook, url=url)
    assert "write https://, or allow_http: true" in text
    assert "s3cret" not in text
    assert a_webhook(url=url, allow_http=True).url == url


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example/s3cret", "ftp://hooks.example/s3cret", "https:///s3cret",
        "https://h:s3cret/", "https://hooks.example/a s3cret", "https://h\n.example/s3cret",
        "https://[::1/s3cret", f"https://hooks.example/s3cret{'x' * 2000}", "file:///etc/s3cret", "https://hooks.example\\@s3cret",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    assert "s3cret" not in said(a_webhook, url=url)


def test_a_password_does_not_stand_in_an_address() -> None:
    text = said(a_webhook, url="https://ada:hunter2@hooks.example/")
    assert "take them out" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("value", ["whsec_aHVudGVyMjI=", "ghp-hunter22", "", "A B", "1X"])
def test_a_secret_in_place_of_its_name_is_refused_and_not_repeated(value: str) -> None:
    text = said(a_webhook, secret_env=value)
    assert "only the name it is set under" in text
    assert not value or value not in text


@pytest.mark.parametrize("value", ["shop", "/shop", "a/b/../c", "a//b", "a/b?x", "a/ü"])
def test_a_repository_is_owner_and_name(value: str) -> None:
    assert "write owner/name" in said(DeploymentSettings, repository=value)


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("main", "would be the same of every revision"),
        ("", "would be the same"),
        ("v{revison}-{revision}", "{revison} cannot be filled in; known: {revision}, {service}"),
        ("{revision}-{", "{ cannot be filled in"),
    ],
)
def test_a_ref_has_to_name_the_revision(ref: str, says: str) -> None:
    assert says in said(DeploymentSettings, repository="a/b", ref=ref)


def test_links_are_addresses_with_what_can_be_filled_in() -> None:
    made = DeploymentSettings(repository="a/b", log_url="https://x.example/{canary_id}")
    assert made.log_url
    assert not made.environment_url
    for url in ("javascript:alert(1)", "https://x.example/<b>"):
        assert "no address" in said(DeploymentSettings, repository="a/b", environment_url=url)
    assert "known" in said(DeploymentSettings, repository="a/b", log_url="https://x/{id}")


@pytest.mark.parametrize("model", [GithubSettings, GitlabSettings])
def test_a_token_never_travels_unencrypted(
    model: type[GithubSettings] | type[GitlabSettings],
) -> None:
    """Nearby it does: that is what tests and tunnels are."""
    assert model(url="http://127.0.0.1:9/api").url
    assert "unencrypted" in said(model, url="http://code.example/api/v3")
    assert "take out" in said(model, url="https://code.example/api?token=x")


def test_names_of_services_that_there_are_not_are_found_with_their_place() -> None:
    """So that the error has its line."""
    shop = DeploymentSettings(repository="a/b")
    hooks = {"team": a_webhook(services=("shop", "shpo"))}
    found = strangers(
        ["shop", "pay"],
        hooks,
        GithubSettings(deployments={"shop": shop, "payy": shop}),
        GitlabSettings(deployments={"x": shop}),
    )
    assert [where for where, _ in found] == [
        ("webhooks", "team", "services", 1),
        ("github", "deployments", "payy"),
        ("gitlab", "deployments", "x"),
    ]
    assert found[0][1] == "unknown service 'shpo'; known: pay, shop. Did you mean shop?"
    assert strangers(["shop"], {"team": a_webhook()}, None, None) == ()


def test_a_service_is_told_to_those_who_want_it() -> None:
    shop = DeploymentSettings(repository="a/b")
    hooks = {"all": a_webhook(), "pay": a_webhook(services=("pay",))}
    github = GithubSettings(deployments={"shop": shop})
    assert subscribers_of("shop", hooks, github, None) == ("webhook:all", "github")
    assert subscribers_of("pay", hooks, github, None) == ("webhook:all", "webhook:pay")
