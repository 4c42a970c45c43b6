"""Which signed requests have been taken already, so that none is done twice."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

WINDOW: Final = 300.0
"""Seconds before and after its timestamp in which a request is taken; Slack's own advice."""

MOST_SEEN: Final = 20_000
"""Signatures remembered. Slack sends at most 30,000 events an hour, and each counts ten minutes."""


class Seen:
    """The signatures of the requests that were taken, each for as long as it would be taken again.

    Only what was verified is remembered, so nobody without the secret can push others out.

    Each replica remembers its own. Whoever records a request and sends it to another replica
    within the window has it done once more: an abort, an approval or an undo then changes nothing
    or is refused, but an extension adds up, a freeze begins anew, and a start begins another
    canary where the first one has ended.
    """

    def __init__(self, now: Callable[[], float], most: int = MOST_SEEN) -> None:
        self._now = now
        self._most = most
        self._outcomes: OrderedDict[str, tuple[float, asyncio.Future[int]]] = OrderedDict()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._outcomes)

    def outcome(self, signature: str) -> asyncio.Future[int] | None:
        """The status the first one was or will be answered with; None when there was none."""
        known = self._outcomes.get(signature)
        return known[1] if known else None

    def remember(self, signature: str, timestamp: float) -> asyncio.Future[int]:
        """Remember a request from its beginning on; its status is to be set when it is answered."""
        self._forget_old()
        outcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._outcomes[signature] = (timestamp + WINDOW, outcome)
        return outcome

    def forget(self, signature: str) -> None:
        """Let it come again: it was not done."""
        self._outcomes.pop(signature, None)

    def _forget_old(self) -> None:
        """Only from the front: behind a clock that is ahead of ours some wait a little longer."""
        while self._outcomes:
            expires_at, _ = next(iter(self._outcomes.values()))
            if expires_at >= self._now() and len(self._outcomes) < self._most:
                return
            self._outcomes.popitem(last=False)
