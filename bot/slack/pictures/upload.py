"""The picture in a canary's thread: drawn in a process of its own, uploaded once, and a courtesy."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import structlog

import bot
from bot.core.canary import Canary, Thread
from bot.core.chronicle import Chronicle, chronicle
from bot.core.events import Observed, Prepared
from bot.ports import PortError, Turn
from bot.slack.faults import BROKEN, RATE_LIMITED, error_code, explain, is_setup, retry_after
from bot.slack.limiter import Limiter, Priority, TooLong
from bot.slack.pictures.captions import alt_text, drawn, title
from bot.slack.posting import PATIENCE, MessageClient
from bot.slack.standing import Standing

DRAWING_PATIENCE: Final = 30.0
"""Seconds a picture may take to be drawn; one takes about one."""

UPLOAD_PATIENCE: Final = 20.0
PROCESSING: Final = 5.0
"""Seconds after which an upload that was completed stands in the thread: Slack shares it later."""

FOR_NOW: Final = RATE_LIMITED | {
    "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "team_added_to_org", "accesslimited", "file_not_found", "file_update_failed", "",
}  # fmt: skip
"""Slack's errors that pass; with any other this picture will never be taken."""

ONE_DRAWING: Final = (sys.executable, "-m", "bot.slack.pictures.drawing")
_PASSED_ON: Final = ("HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TMPDIR", "MPLCONFIGDIR")

_log = structlog.get_logger()


class FileClient(MessageClient, Protocol):
    """The calls of the Web API that pictures need; `AsyncWebClient` has them."""

    proxy: str | None
    ssl: Any

    @property
    def files_getUploadURLExternal(self) -> Any:  # noqa: N802 - the SDK's own name
        """Announce an upload; the answer holds `upload_url` and `file_id`."""
        ...

    @property
    def files_completeUploadExternal(self) -> Any:  # noqa: N802 - the SDK's own name
        """Share what was uploaded."""
        ...


class NoPicture(Exception):  # noqa: N818 - an answer: the thread does without
    """There will be none, and why."""


def file_name(canary: Canary) -> str:
    """What the canary's picture is known by."""
    return f"canary-{canary.id}.png"


class Pictures:
    """Draws one picture at a time and puts each into its thread once.

    Args:
        client, limiter: the board's.
        command: what draws; tests have others.
        patience: seconds it may take.
        sleep: waits.

    """

    def __init__(
        self,
        client: FileClient,
        limiter: Limiter,
        *,
        command: Sequence[str] = ONE_DRAWING,
        patience: float = DRAWING_PATIENCE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._limiter = limiter
        self._standing = Standing(client, limiter)
        self._command = command
        self._patience = patience
        self._sleep = sleep
        self._one = asyncio.Lock()

    async def post(self, canary: Canary, seen: Sequence[Prepared | Observed], turn: Turn) -> None:
        """Put the picture into the canary's thread, unless it stands there.

        What will never work is logged and left out.

        Raises:
            PortError: not now; what, why and what to do next.
            Conflict: it is another replica's turn.

        """
        what = f"The picture of {canary.service} was not posted"
        try:
            await self._post(canary, seen, turn)
        except NoPicture as error:
            _log.warning("slack.picture.none", canary=canary.id, reason=str(error))
        except TooLong as error:
            raise PortError(f"{what}: {error}. It can be tried again then.") from error
        except BROKEN as error:
            if error_code(error) in FOR_NOW or is_setup(error):
                raise PortError(explain(what, error)) from error
            _log.warning("slack.picture.none", canary=canary.id, reason=explain(what, error))

    async def _post(self, canary: Canary, seen: Sequence[Prepared | Observed], turn: Turn) -> None:
        if canary.thread is None:
            raise NoPicture("the canary has no message, so there is no thread")
        if turn.again and await self._stands(canary.thread, file_name(canary)):
            return
        async with self._one:
            found, what = await asyncio.to_thread(_told, canary, seen)
            png = await _drawn(self._command, json.dumps(what).encode(), self._patience)
        await self._upload(canary, canary.thread, found, png, turn)

    async def _upload(
        self, canary: Canary, thread: Thread, found: Chronicle, png: bytes, turn: Turn
    ) -> None:
        """In three steps; before the last one nobody sees anything, and Slack forgets the rest."""
        async with self._turn("files.getUploadURLExternal"):
            place = await self._client.files_getUploadURLExternal(
                filename=file_name(canary), length=len(png), alt_txt=alt_text(found)
            )
        await self._send(str(place["upload_url"]), png)
        async with self._turn("files.completeUploadExternal"):
            await turn.confirm()
            await self._client.files_completeUploadExternal(
                files=[{"id": place["file_id"], "title": title(found)}],
                channel_id=thread.channel,
                thread_ts=thread.ts,
            )

    async def _send(self, url: str, png: bytes) -> None:
        """To where Slack said, by the client's own proxy and certificates."""
        timeout = aiohttp.ClientTimeout(total=UPLOAD_PATIENCE)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(
                url, data=png, proxy=self._client.proxy, ssl=self._client.ssl or True
            ) as answer,
        ):
            if answer.status == 200:
                return
            if answer.status < 500 and answer.status not in {404, 408, 429}:
                raise NoPicture(f"Slack refused the upload with status {answer.status}")
            raise PortError(
                f"The picture was not uploaded: Slack answered with status {answer.status}. "
                "It can be tried again."
            )

    async def _stands(self, thread: Thread, wanted: str) -> bool:
        """Whether the thread has the file; if not at once, then once what was uploaded is shared."""
        if await self._standing.has_file(thread, wanted):
            return True
        await self._sleep(PROCESSING)
        return await self._standing.has_file(thread, wanted)

    @contextlib.asynccontextmanager
    async def _turn(self, method: str) -> AsyncIterator[None]:
        """One call within the limiter; a 429 holds all calls of this method."""
        await self._limiter.take(method, None, Priority.NORMAL, PATIENCE)
        try:
            yield
        except BROKEN as error:
            wait = retry_after(error)
            if wait is not None:
                self._limiter.pause(method, wait + 0.5)
            raise


def _told(canary: Canary, seen: Sequence[Prepared | Observed]) -> tuple[Chronicle, dict[str, Any]]:
    """Judging thousands of looks again takes seconds: this is for a thread."""
    found = chronicle(canary, seen)
    if not found.series:
        raise NoPicture(f"nothing was seen of the canary in {found.looks} looks")
    return found, drawn(found)


async def _drawn(command: Sequence[str], what: bytes, patience: float) -> bytes:
    """The PNG that a child process made; it gets none of our secrets and is never left behind."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = str(Path(bot.__file__).parents[1])
    pipe = asyncio.subprocess.PIPE
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        )
    except OSError as error:
        raise NoPicture(f"it cannot be drawn: {error}") from error
    try:
        async with asyncio.timeout(patience):
            png, words = await child.communicate(what)
    except TimeoutError:
        raise NoPicture(f"drawing it took longer than {patience:g} s") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode or not png.startswith(b"\x89PNG"):
        last = words.decode(errors="replace").strip().rpartition("\n")[2]
        raise NoPicture(f"drawing it failed ({child.returncode}): {last or 'no picture came'}")
    return png
