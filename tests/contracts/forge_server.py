"""What doubles of code hosts have in common: an HTTP server on loopback over a real repository."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from contracts.histories import History

TOKEN = "t0ken-s3cret"  # a made-up one


@dataclass(frozen=True)
class Says:
    """An answer in place of the right one.

    Attributes:
        only: what the path of the request must hold for it to be given.

    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    only: str = ""


class Forge:
    """A code host that holds one repository.

    Attributes:
        asked: every request's path with its query, as it was sent.
        tokens: what each request carried as its token.
        instead: answers to give before the right ones, in this order.
        labels: by commit, those of what it was merged with.
        most: of its requests, how many were under way at the same time.
        gate: while it is closed, requests are taken and not answered.

    """

    repository = "acme/shop"
    header = "Authorization"
    kind = ""

    def __init__(self, history: History) -> None:
        self.history = history
        self.asked: list[str] = []
        self.tokens: list[str | None] = []
        self.instead: list[Says] = []
        self.labels: dict[str, list[str]] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.most = self._under_way = 0
        self.needs_token = True
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, one way or the other."""
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        try:
            self.asked.append(request.raw_path)
            self.tokens.append(request.headers.get(self.header))
            await self.gate.wait()
            if self.instead and self.instead[0].only in request.raw_path:
                says = self.instead.pop(0)
            else:
                says = await self._right(request)
        finally:
            self._under_way -= 1
        if isinstance(says.body, bytes):
            return web.Response(status=says.status, body=says.body, headers=says.headers)
        return web.json_response(says.body, status=says.status, headers=says.headers)

    async def _right(self, request: web.BaseRequest) -> Says:
        path, _, _ = request.raw_path.partition("?")
        if self.needs_token and TOKEN not in request.headers.get(self.header, ""):
            return self._unknown_token()
        return await asyncio.to_thread(self._told, path, dict(request.query), request.headers)

    def _told(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Says:
        raise NotImplementedError

    def _unknown_token(self) -> Says:
        raise NotImplementedError

    def commit_of(self, name: str) -> str | None:
        """The commit of a name, as the host would find it."""
        try:
            found = self.history.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except AssertionError:
            return None
        return found.decode().strip()

    def blob(self, commit: str, path: str) -> bytes | None:
        """A file at a commit."""
        try:
            return self.history.git("cat-file", "blob", f"{commit}:{path}")
        except AssertionError:
            return None

    def inside(self, commit: str, folder: str) -> list[tuple[str, str, str]]:
        """Mode, size and path of what stands right in a folder, up to 1000."""
        told = self.history.git("ls-tree", "-z", "-l", commit, f"{folder}/").decode()
        found = []
        for line in told.split("\0")[:-1]:
            meta, _, path = line.partition("\t")
            mode, _, _, size = meta.split()
            found.append((mode, size, path))
        return found[:1000]

    def log(self, span: str) -> list[list[str]]:
        """Id, e-mail, date, message of the commits of a range, newest first."""
        told = self.history.git("log", "-z", "--format=%H%n%ae%n%aI%n%B", span, "--").decode()
        return [entry.split("\n", 3) for entry in told.split("\0") if entry]

    def files(self, base: str, head: str) -> list[tuple[str, str, str, str]]:
        """Status letter, path before, path now, the blob it ends as; between exactly these two."""
        told = self.history.git("diff-tree", "-r", "-z", "-M", "--raw", base, head)
        parts = iter(told.decode().split("\0")[:-1])
        found = []
        for meta in parts:
            _, _, before, after, code = meta.split(" ")
            path = next(parts)
            now = next(parts) if code[0] == "R" else path
            found.append((code[0], path, now, before if code[0] == "D" else after))
        return found

    def patch(self, base: str, head: str, *paths: str) -> str:
        """The hunks of a file; empty of a rename that changed nothing."""
        told = self.history.git("diff", "-M", base, head, "--", *paths).decode(errors="replace")
        start = re.search(r"^(@@|Binary)", told, re.MULTILINE)
        return told[start.start() :] if start else ""


@asynccontextmanager
async def serving(forge: Forge) -> AsyncIterator[Forge]:
    """Serve it for as long as the block."""
    runner = web.ServerRunner(web.Server(forge.answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    forge.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield forge
    finally:
        forge.gate.set()
        await runner.cleanup()
