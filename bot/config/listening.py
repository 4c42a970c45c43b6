"""Where the bot takes Slack's requests in HTTP mode."""

from ipaddress import ip_address
from typing import Final

DEFAULT_LISTEN: Final = "127.0.0.1:3000"
"""Loopback: what Slack reaches is the proxy or load balancer before it, which speaks TLS."""


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of `host:port`; an IPv6 address stands in brackets.

    Raises:
        ValueError: one sentence that says what is wrong and what would be right.

    """
    host, _, port = text.rpartition(":")
    wanted = f"{text!r} is no address to listen at: write host:port, for example {DEFAULT_LISTEN}"
    if not host or not port.isascii() or not port.isdigit():
        raise ValueError(wanted)
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"{wanted}; a port lies between 1 and 65535")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ip_address(host[1:-1])), int(port)
        except ValueError:
            raise ValueError(wanted) from None
    if ":" in host or "/" in host or " " in host:
        raise ValueError(f"{wanted}; an IPv6 address stands in brackets, and there is no path")
    return host, int(port)
