"""Runs the `git` program: nothing of a repository is executed, and nothing is left running."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.changes.blind import Blind

MOST_OUTPUT: Final = 16 * 1024 * 1024
"""Bytes that are read of what it prints."""
_MOST_TROUBLE: Final = 4096
_CHUNK: Final = 65536
_PIPES_END: Final = 2.0
"""Seconds after which pipes that somebody holds open beyond git's end are left alone."""

_SAFE: Final = (
    *("--no-pager", "--literal-pathspecs", "--no-replace-objects"),
    *("-c", "core.fsmonitor=false", "-c", "diff.external=", "-c", f"core.hooksPath={os.devnull}"),
    *("-c", "log.showSignature=false", "-c", "protocol.ext.allow=never"),
    *("-c", "core.quotePath=false", "-c", "diff.renameLimit=1000", "-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false", "-c", "submodule.recurse=false"),
)
_PASSED_ON: Final = (
    *("PATH", "HOME", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "TMPDIR", "SYSTEMROOT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
"""What git may know of our environment: how to reach a remote; no GIT_* that points elsewhere."""


@dataclass(frozen=True, slots=True)
class Output:
    """What git printed.

    Attributes:
        whole: whether that was all; else git was stopped.
        trouble: the first lines of its error output.

    """

    code: int
    out: bytes
    trouble: str
    whole: bool = True


class Git:
    """Git in one repository."""

    def __init__(self, folder: Path, program: str = "git") -> None:
        self._folder = folder
        self._program = program

    async def run(self, *arguments: str, given: bytes = b"", most: int = MOST_OUTPUT) -> Output:
        """Run a command; `given` is its standard input.

        Raises:
            Blind: there is no such program, or no such folder.

        """
        process = await self._start(arguments)
        try:
            feeding = asyncio.create_task(_feed(process, given))
            trouble = asyncio.create_task(_some(process.stderr, _MOST_TROUBLE))
            try:
                out, whole = await _bounded(process.stdout, most)
                if not whole:
                    return Output(0, out, "", whole=False)
                await feeding
                told = (await trouble).decode("utf-8", errors="replace").strip()
                return Output(await process.wait(), out, told)
            finally:
                feeding.cancel()
                trouble.cancel()
                await asyncio.gather(feeding, trouble, return_exceptions=True)
        finally:
            await _end(process)

    async def _start(self, arguments: Sequence[str]) -> asyncio.subprocess.Process:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {
            "LC_ALL": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS_REQUIRE": "never",  # and it has no terminal to ask on
        }
        try:
            return await asyncio.create_subprocess_exec(
                self._program,
                *("-C", str(self._folder), *_SAFE, *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=True,  # a fetch has children, and they must end with it
            )
        except FileNotFoundError:
            raise Blind(
                f"the program {self._program} is not installed; install git where the bot runs, "
                "or read changes from GitHub or GitLab"
            ) from None
        except OSError as error:
            raise Blind(
                f"the program {self._program} cannot be started ({error.strerror}); check its "
                "rights"
            ) from None


async def _feed(process: asyncio.subprocess.Process, given: bytes) -> None:
    assert process.stdin is not None
    # It may have ended already, and says why; uvloop then refuses to write, asyncio only warns.
    with suppress(ConnectionError):
        if given and not process.stdin.is_closing():
            process.stdin.write(given)
            await process.stdin.drain()
    process.stdin.close()


async def _bounded(stream: asyncio.StreamReader | None, most: int) -> tuple[bytes, bool]:
    """What is printed up to `most` bytes, and whether that was all."""
    assert stream is not None
    found = bytearray()
    while chunk := await stream.read(_CHUNK):
        found += chunk
        if len(found) > most:
            return bytes(found[:most]), False
    return bytes(found), True


async def _some(stream: asyncio.StreamReader | None, most: int) -> bytes:
    """The first bytes; the rest is read as well, so that nobody waits."""
    assert stream is not None
    found = b""
    while chunk := await stream.read(_CHUNK):
        found = (found + chunk)[:most]
    return found


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it and its children, and see it gone; a second cancellation cannot prevent that."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.shield(_gone(process))


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Wait for its end, which is not told before its pipes are read to theirs."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(_PIPES_END):
            await _some(process.stdout, 0)
            await _some(process.stderr, 0)
            await process.wait()
