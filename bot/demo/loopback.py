"""Ports of this machine, and questions to servers that listen on them."""

import socket
from http.client import HTTPConnection, HTTPException


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of the loopback interface that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return tuple(int(found.getsockname()[1]) for found in sockets)
    finally:
        for found in sockets:
            found.close()


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
