"""What a local workspace holds at its start, and how strict it is."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

ALL_SCOPES = (
    "commands",
    "chat:write",
    "files:write",
    "files:read",
    "usergroups:read",
    "users:read",
    "channels:read",
    "channels:history",
    "channels:join",
    "im:write",
    "reactions:write",
)


class _Strict(BaseModel):
    """A misspelt key in the file is an error, not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Strict):
    """A human member of the workspace."""

    id: str
    name: str
    real_name: str
    title: str = ""
    color: str = "4a6fa5"
    tz: str = "Europe/Berlin"
    is_admin: bool = False


class ChannelSpec(_Strict):
    """A channel as it is at the start; without `members` everybody is in it."""

    id: str
    name: str
    topic: str = ""
    has_bot: bool = True
    members: tuple[str, ...] | None = None


class UserGroup(_Strict):
    """A user group such as @release-approvers."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...] = ()


class CommandSpec(_Strict):
    """A slash command of the app."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True


class RequestUrls(_Strict):
    """Where an app in HTTP mode takes requests; without one the app uses Socket Mode."""

    commands: str
    interactivity: str
    events: str


PEOPLE = (
    Person(id="U0ADA0001", name="ada", real_name="Ada Lovelace", title="Deployer", color="2f6f8f"),
    Person(
        id="U0GRACE01",
        name="grace",
        real_name="Grace Hopper",
        title="Release approver",
        color="8a4f7d",
        is_admin=True,
    ),
    Person(id="U0LINUS01", name="linus", real_name="Linus Guest", title="Guest", color="7a6a2f"),
)
CHANNELS = (
    ChannelSpec(id="C0DEPLOYS", name="deploys", topic="Every canary, from start to end"),
    ChannelSpec(id="C0SHOP001", name="shop", topic="The shop service"),
    ChannelSpec(id="C0RANDOM1", name="random", topic="Everything else", has_bot=False),
)
GROUPS = (
    UserGroup(
        id="S0APPROVE", handle="release-approvers", name="Release approvers", users=("U0GRACE01",)
    ),
)
COMMANDS = (
    CommandSpec(
        command="/canary",
        description="Canary deployments",
        usage_hint="start shop v2 | status | abort",
    ),
)


class Settings(_Strict):
    """Everything about a workspace that may be changed."""

    team_id: str = "T0CANARY1"
    team_name: str = "Canary Works"
    team_domain: str = "canary-works"
    app_id: str = "A0CANARY1"
    bot_id: str = "B0CANARY1"
    bot_user_id: str = "U0CANARY1"
    bot_name: str = "canary"
    # Nothing to steal here: the tokens open a server on the loopback interface only.
    bot_token: str = "xoxb-local-workspace"  # noqa: S105 - a fixed name, no secret
    app_token: str = "xapp-local-workspace"  # noqa: S105 - a fixed name, no secret
    signing_secret: str = "local-signing-secret"  # noqa: S105 - a fixed name, no secret
    verification_token: str = "local-verification"  # noqa: S105 - a fixed name, no secret
    scopes: tuple[str, ...] = ALL_SCOPES
    people: tuple[Person, ...] = PEOPLE
    channels: tuple[ChannelSpec, ...] = CHANNELS
    groups: tuple[UserGroup, ...] = GROUPS
    commands: tuple[CommandSpec, ...] = COMMANDS
    request_urls: RequestUrls | None = None
    rate_limits: float = Field(default=1.0, ge=0, description="scales every limit; 0 is off")
    ack_seconds: float = Field(default=3.0, gt=0)
    trigger_seconds: float = Field(default=3.0, gt=0)
    response_url_uses: int = 5
    response_url_seconds: float = 1800.0
    file_seconds: float = Field(default=1.0, ge=0, description="until an upload is processed")
    event_retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    max_connections: int = 10
    connection_seconds: int = 18060
    keep: Path | None = Field(default=None, description="a file that outlives the process")


def read_settings(path: Path) -> Settings:
    """Read settings from a JSON file; a wrong or unknown key raises a ValidationError."""
    return Settings.model_validate(json.loads(path.read_text(encoding="utf-8")))
