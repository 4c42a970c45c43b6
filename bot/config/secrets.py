"""What may stand in the environment only: tokens and addresses that hold passwords."""

from typing import Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SLACK_API: Final = "https://slack.com/api/"


class Secrets(BaseSettings):
    """Read from the environment, and never printed.

    Attributes:
        slack_bot_token: SLACK_BOT_TOKEN, xoxb-…
        slack_app_token: SLACK_APP_TOKEN, xapp-…, for Socket Mode.
        slack_api_url: SLACK_API_URL, only for another Slack than Slack's own.
        canary_redis_url: CANARY_REDIS_URL, wins over the configuration's `redis`.
        canary_webhook_url: CANARY_WEBHOOK_URL, called when a rollback is not confirmed.

    """

    model_config = SettingsConfigDict(env_prefix="", extra="ignore")

    slack_bot_token: SecretStr = Field(default=SecretStr(""))
    slack_app_token: SecretStr = Field(default=SecretStr(""))
    slack_api_url: str = SLACK_API
    canary_redis_url: SecretStr | None = None
    canary_webhook_url: SecretStr | None = None

    def missing(self) -> tuple[str, ...]:
        """What is wrong with the tokens, one sentence each, with what to do about it."""
        problems = []
        wanted = (
            ("SLACK_BOT_TOKEN", self.slack_bot_token, "xoxb-", "OAuth & Permissions"),
            (
                "SLACK_APP_TOKEN",
                self.slack_app_token,
                "xapp-",
                "Basic Information, App-Level Tokens",
            ),
        )
        for name, token, prefix, where in wanted:
            found = token.get_secret_value()
            if not found:
                problems.append(f"{name} is not set. Slack's app page shows it under {where}.")
            elif not found.startswith(prefix):
                problems.append(
                    f"{name} does not begin with {prefix}, so it is another kind of token. The "
                    f"right one stands on Slack's app page under {where}."
                )
        return tuple(problems)
