"""Connections as they are kept: none is silent for long, and silent ones make room for new ones."""

import asyncio
from collections import Counter
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_PATIENCE: Final = 10.0
"""Seconds until a request's headers must be there whole, from the connection's start or, of a
later request, from its first byte."""

BODY_PATIENCE: Final = 30.0
"""Seconds for the rest; whatever takes one answers sooner, so that this is the last resort."""

READ_PATIENCE: Final = 30.0
"""Seconds in which whoever is sent something must take some of it."""

MOST_SILENT: Final = 500
"""Connections without a request under way, of all addresses together."""

MOST_PIECES: Final = 4000
"""Of one body: in chunks of one byte it would cost a hundred times as much to take."""

HEAD_BYTES: Final = 32 * 1024
_SLICE: Final = 16 * 1024


class Silent:
    """Every connection without a request under way, the oldest first.

    A connection that is one too many is never refused, for it may bring an abort: the oldest
    silent one of the same address goes instead, or the oldest of all.

    Args:
        per_address: how many of one address are kept.
        most: how many in all.

    """

    def __init__(self, per_address: int, most: int = MOST_SILENT) -> None:
        self._per_address = per_address
        self._most = most
        self._kept: dict[Timely, str] = {}
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, connection: "Timely", address: str) -> None:
        """It has nothing under way from now on."""
        if connection in self._kept:
            return
        self._kept[connection] = address
        self._count[address] += 1
        if self._count[address] > self._per_address:
            self._drop(next(one for one, where in self._kept.items() if where == address))
        elif len(self._kept) > self._most:
            self._drop(next(iter(self._kept)))

    def remove(self, connection: "Timely") -> None:
        """It has a request under way, or is gone."""
        address = self._kept.pop(connection, None)
        if address is not None:
            self._count[address] -= 1
            if not self._count[address]:
                del self._count[address]

    def _drop(self, connection: "Timely") -> None:
        self.remove(connection)
        connection.transport.abort()


class Config(uvicorn.Config):
    """uvicorn's, with what all connections share."""

    def __init__(self, app: Any, silent: Silent, **options: Any) -> None:
        super().__init__(app, http=Timely, h11_max_incomplete_event_size=HEAD_BYTES, **options)
        self.silent = silent


class _Parser(h11.Connection):
    """Takes no body in crumbs."""

    _pieces = 0

    def next_event(self) -> Any:
        """See `h11.Connection.next_event`."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = 0
        elif isinstance(event, h11.Data):
            self._pieces += 1
            if self._pieces > MOST_PIECES:
                raise h11.RemoteProtocolError("the body came in too many pieces")
        return event


class Timely(H11Protocol):
    """A connection whose requests come whole within their time, or not at all."""

    def __init__(self, config: Config, **options: Any) -> None:
        super().__init__(config, **options)
        self.conn = _Parser(h11.SERVER, HEAD_BYTES)
        self._silent = config.silent
        self._awaited: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for its first request."""
        super().connection_made(transport)
        self._silent.add(self, self._address())
        self._expect(h11.IDLE, HEAD_PATIENCE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._silent.remove(self)
        self._expect(None, 0)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take it in slices: how large a head may be is looked at between two of them."""
        for start in range(0, len(data), _SLICE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _SLICE])
        self._look()

    def on_response_complete(self) -> None:
        """It is silent from here on, unless the next request has come already."""
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """Say so where an answer is still possible."""
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.close()
        self._expect(h11.ERROR, HEAD_PATIENCE)

    def timeout_keep_alive_handler(self) -> None:
        """Close it, even if what was sent last is never read."""
        super().timeout_keep_alive_handler()
        self._expect(h11.CLOSED, HEAD_PATIENCE)

    def pause_writing(self) -> None:
        """What was sent is not read; that has its time."""
        super().pause_writing()
        self._unread = self.loop.call_later(READ_PATIENCE, self.transport.abort)

    def resume_writing(self) -> None:
        """It is read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _look(self) -> None:
        """What the caller owes us now."""
        if self.transport.is_closing():
            self._silent.remove(self)
            self._expect(h11.CLOSED, HEAD_PATIENCE)
            return
        cycle = getattr(self, "cycle", None)  # None until the first request
        if cycle is None or cycle.response_complete:
            self._silent.add(self, self._address())
        else:
            self._silent.remove(self)
        owed = self.conn.their_state
        if owed is h11.IDLE and (cycle is None or self.conn.trailing_data[0]):
            self._expect(owed, HEAD_PATIENCE)
        elif owed is h11.SEND_BODY:
            self._expect(cycle, BODY_PATIENCE)
        else:
            self._expect(None, 0)

    def _expect(self, what: object, seconds: float) -> None:
        """Give it so long from now, unless that time runs already."""
        if what is self._awaited:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._awaited = what
        late = self.transport.abort
        self._deadline = self.loop.call_later(seconds, late) if what is not None else None

    def _address(self) -> str:
        return self.client[0] if self.client else ""
