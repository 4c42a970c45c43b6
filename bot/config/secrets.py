"""What may stand in the environment only: tokens and addresses that hold passwords."""

from typing import Final, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SLACK_API: Final = "https://slack.com/api/"

Mode = Literal["socket", "http"]
"""How clicks and commands come: the bot connects to Slack, or Slack calls the bot."""


class Secrets(BaseSettings):
    """Read from the environment, and never printed.

    Attributes:
        slack_bot_token: SLACK_BOT_TOKEN, xoxb-…
        slack_app_token: SLACK_APP_TOKEN, xapp-…, for Socket Mode only.
        slack_signing_secret: SLACK_SIGNING_SECRET, for HTTP mode only.
        slack_api_url: SLACK_API_URL, only for another Slack than Slack's own.
        canary_redis_url: CANARY_REDIS_URL, wins over the configuration's `redis`.
        canary_webhook_url: CANARY_WEBHOOK_URL, called when a rollback is not confirmed.

    """

    model_config = SettingsConfigDict(env_prefix="", extra="ignore")

    slack_bot_token: SecretStr = Field(default=SecretStr(""))
    slack_app_token: SecretStr = Field(default=SecretStr(""))
    slack_signing_secret: SecretStr = Field(default=SecretStr(""))
    slack_api_url: str = SLACK_API
    canary_redis_url: SecretStr | None = None
    canary_webhook_url: SecretStr | None = None

    def missing(self, mode: Mode = "socket") -> tuple[str, ...]:
        """What is wrong with the tokens, one sentence each, with what to do about it."""
        bot = self.slack_bot_token.get_secret_value()
        problems = [_token_problem("SLACK_BOT_TOKEN", bot, "xoxb-", "OAuth & Permissions")]
        if mode == "socket":
            app, where = self.slack_app_token, "Basic Information, App-Level Tokens"
            problems.append(
                _token_problem("SLACK_APP_TOKEN", app.get_secret_value(), "xapp-", where)
            )
        else:
            problems.append(_signing_problem(self.slack_signing_secret.get_secret_value()))
        return tuple(problem for problem in problems if problem)


def _token_problem(name: str, found: str, prefix: str, where: str) -> str:
    if not found:
        return f"{name} is not set. Slack's app page shows it under {where}."
    if found.startswith(prefix):
        return ""
    return (
        f"{name} does not begin with {prefix}, so it is another kind of token. The right one "
        f"stands on Slack's app page under {where}."
    )


def _signing_problem(found: str) -> str:
    """Slack's secrets are hexadecimal, but that is not promised; a token is another thing."""
    where = "Slack's app page shows it under Basic Information, App Credentials."
    if not found.strip():
        return (
            "SLACK_SIGNING_SECRET is not set, and without it nobody can tell Slack's requests from "
            f"others (slack.mode is http). {where}"
        )
    if found.startswith(("xoxb-", "xapp-", "xoxp-")):
        return f"SLACK_SIGNING_SECRET is a token, and that is something else. {where}"
    return ""
