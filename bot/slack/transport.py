"""What both ways of hearing Slack have in common."""

from typing import Protocol


class Transport(Protocol):
    """How commands and clicks arrive: Socket Mode's connections, or HTTP mode's request URL.

    Whatever it acknowledges, a listener has begun; what it does not begin is not acknowledged, so
    that its person sees Slack's own error.
    """

    @property
    def connected(self) -> bool:
        """Whether they can arrive now."""
        ...

    async def start(self) -> None:
        """Begin to take them; raises `PortError` where that can never work."""
        ...

    async def stop(self) -> None:
        """Take nothing new, acknowledge what has come, then close; within a second."""
        ...
