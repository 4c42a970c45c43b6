"""Signatures as the Standard Webhooks specification has them, with as many secrets as are valid now."""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST: Final = 24
LONGEST: Final = 64
"""Bytes of a secret, as the specification bounds them."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Signer:
    """Signs for one receiver; the secrets are never shown."""

    def __init__(self, secrets: str) -> None:
        """Take one or several secrets, `whsec_…`, with spaces between them: the newest first.

        Raises:
            ValueError: what is wrong with them, without showing them.

        """
        self._keys = tuple(_key(secret) for secret in secrets.split())
        if not self._keys:
            raise ValueError(f"it holds no secret; {_WANTED}")

    def headers(self, identity: str, at: datetime, body: bytes) -> dict[str, str]:
        """What is sent beside this body: who it is, when it is sent, a signature a secret.

        Args:
            identity: the same however often it is sent; see `plain`.
            at: of this attempt, so that a receiver can refuse what is old.
            body: the bytes as they are sent.

        """
        moment = str(int(at.timestamp()))
        identity = plain(identity)
        content = f"{identity}.{moment}.".encode() + body
        return {
            "webhook-id": identity,
            "webhook-timestamp": moment,
            "webhook-signature": " ".join(_signature(key, content) for key in self._keys),
        }


def plain(identity: str) -> str:
    """The same identity without dots, which part what is signed, and without what headers forbid."""
    if _PLAIN.fullmatch(identity):
        return identity
    return f"msg_{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _signature(key: bytes, content: bytes) -> str:
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


_WANTED: Final = (
    f"write {PREFIX} and the base64 of {SHORTEST} to {LONGEST} random bytes, and a space between "
    "two of them while they are rotated"
)


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret does not begin with {PREFIX}; {_WANTED}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):  # a text that is not ASCII is a ValueError
        raise ValueError(f"a secret is no base64 behind {PREFIX}; {_WANTED}") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a secret has {len(key)} bytes; {_WANTED}")
    return key
