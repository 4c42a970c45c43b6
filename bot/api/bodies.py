"""Reads a request's body within bounds: of bytes, depth, values and time."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from bot.api.problems import Problem, unreadable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES: Final = 1024 * 1024
"""Where a change may be sent along."""

USUAL_BYTES: Final = 64 * 1024
"""Everywhere else."""

MOST_VALUES: Final = 50_000
"""More than a change has that keeps to its own bounds; it bounds what reading the JSON costs."""

MOST_DEPTH: Final = 16
MOST_DIGITS: Final = 64
"""In a row: what reading a number costs grows with their square."""

READ_PATIENCE: Final = 10.0
"""Seconds until a body must be there whole."""

_WITH_CHANGE: Final = frozenset({"/v1/canaries", "/v1/classify"})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_OPENING: Final = b"[{"
_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_NO_STRUCTURE: Final = bytes(set(range(256)) - set(b"[]{}"))


def header(scope: Scope, name: bytes) -> str:
    """A header's first value, or nothing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def whole(scope: Scope, receive: Receive) -> Receive:
    """Read the body where one is taken, and hand it on.

    Raises:
        Problem: it is too large, too slow, or no JSON that anybody would write.

    """
    if scope["method"] not in _WITH_BODY:
        return receive
    body = await _read(scope, receive)
    if _is_outlandish(body):
        raise unreadable()
    handed = False

    async def again() -> Message:
        nonlocal handed
        if handed:
            return await receive()  # whether the caller has hung up
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _read(scope: Scope, receive: Receive) -> bytes:
    most = MOST_BYTES if scope["path"] in _WITH_CHANGE else USUAL_BYTES
    declared = header(scope, b"content-length")
    if declared.isdigit() and (len(declared) > len(str(most)) or int(declared) > most):
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_PATIENCE):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    break
                body += message.get("body", b"")
                if len(body) > most:
                    raise _too_large(most)
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise Problem(
            408,
            "slow-request",
            f"The body did not come within {READ_PATIENCE:g} s.",
            "Send it again, whole.",
            {"Connection": "close"},
        ) from None
    return bytes(body)


def _too_large(most: int) -> Problem:
    return Problem(
        413,
        "too-large",
        f"The body has more than {most // 1024} KB. Nothing was done.",
        "Leave the texts of large files out, and send complete: false where files are left out.",
        {"Connection": "close"},
    )


def _is_outlandish(body: bytes) -> bool:
    """Whether it is nested deeper, of more values or longer numbers, than anything that is meant.

    Each step goes once over what is left, whatever that holds: what cannot be read is left to
    the parser, but costs no more here than what can. A zero byte is in no JSON but that of
    UTF-16 and UTF-32, whose quotes would not be seen here.
    """
    if b"\0" in body or body.count(b'"') > 4 * MOST_VALUES:
        return True
    # Without `\\` and then `\"`, each quote that is left begins or ends a string.
    outside = b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    if outside.count(b",") + outside.count(b"[") + outside.count(b"{") > MOST_VALUES:
        return True
    if b"0" * (MOST_DIGITS + 1) in outside.translate(_DIGITS):
        return True
    depth = 0
    for byte in outside.translate(None, _NO_STRUCTURE)[: 2 * MOST_VALUES + 2]:
        depth += 1 if byte in _OPENING else -1
        if depth > MOST_DEPTH:
            return True
    return False
