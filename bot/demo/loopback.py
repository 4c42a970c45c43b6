"""Ports of this machine, and questions to servers that listen on them."""

import random
import socket
from http.client import HTTPConnection, HTTPException
from typing import Final

PORTS: Final = range(15_000, 32_000)
"""Below those that systems give to outgoing connections, which would take one in between."""


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of the loopback interface that nobody listens on, all different."""
    found: dict[int, None] = {}
    dice = random.SystemRandom()
    while len(found) < count:
        port = dice.choice(PORTS)
        if is_free(port):
            found[port] = None
    return tuple(found)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether this port of an address of this machine can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, port))
        except OSError:
            return False
    return True


def get(port: int, path: str, host: str = "127.0.0.1") -> bytes | None:
    """The body of an answer with status 200; None when there is none."""
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return body if answer.status == 200 else None
