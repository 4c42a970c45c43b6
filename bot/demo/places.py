"""Where everything of one demo is: its folder and its ports."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.demo.loopback import free_ports

EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Places:
    """A folder and ports.

    Attributes:
        shop: where people reach the shop, through Envoy.
        blue, green: the two backends behind it.
        admin: Envoy's admin port.
        api: where pipelines ask the bot; 0 where it does not listen for them.
        host, page: the local Slack.

    """

    folder: Path
    host: str
    page: int
    valkey: int
    blue: int
    green: int
    shop: int
    admin: int
    api: int = 0

    @property
    def backends(self) -> dict[str, int]:
        """The backends' ports by their names."""
        return {"blue": self.blue, "green": self.green}

    @property
    def slack(self) -> str:
        """The local Slack's address, without a slash at its end."""
        host = self.local_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.page}"

    @property
    def local_host(self) -> str:
        """How the local Slack is reached from this machine."""
        return "127.0.0.1" if self.host in EVERYWHERE else self.host

    @property
    def is_private(self) -> bool:
        """Whether only this machine reaches the local Slack."""
        return self.host in LOOPBACK

    @property
    def envoy(self) -> Path:
        """Envoy's folder."""
        return self.folder / "envoy"

    def log_of(self, backend: str) -> Path:
        """The JSON log of a backend."""
        return self.folder / f"{backend}.jsonl"


def choose_places(folder: Path, host: str, page: int) -> Places:
    """Choose free ports for all but the page."""
    return Places(folder, host, page, *free_ports(6))
