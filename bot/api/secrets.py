"""A token's secret: how it is drawn, recognised and looked up."""

import hashlib
import secrets
import zlib
from typing import Final

PREFIX: Final = "cnry_"
"""By which scanners of repositories know it."""

BYTES: Final = 32
_CHECK: Final = 8


def draw() -> str:
    """A new secret: the prefix, 256 random bits, and a checksum against a cut or a slip."""
    body = secrets.token_urlsafe(BYTES)
    return f"{PREFIX}{body}{_checksum(body)}"


def is_whole(secret: str) -> bool:
    """Whether it could be one of ours, uncut; says nothing of whether it is valid."""
    if not secret.startswith(PREFIX) or not secret.isascii():
        return False
    body, check = secret[len(PREFIX) : -_CHECK], secret[-_CHECK:]
    return bool(body) and secrets.compare_digest(_checksum(body), check)


def digest(secret: str) -> str:
    """What is kept of it.

    SHA-256 without salt or stretching: of 256 random bits nobody can try out even a part.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
