"""`python -m bot.workspace`: run a local Slack in the foreground."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from bot.workspace.runner import running_workspace
from bot.workspace.settings import Settings, read_settings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.workspace", description=__doc__)
    parser.add_argument("--port", type=int, default=3333)
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless told otherwise")
    parser.add_argument("--config", type=Path, help="settings as JSON")
    parser.add_argument("--keep", type=Path, help="a file: what it holds outlives a kill -9")
    return parser.parse_args()


async def _serve(settings: Settings, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_workspace(settings, port=port, host=host) as running:
        sys.stdout.write(f"workspace at {running.base_url}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    """Run until interrupted; 2 is a wrong configuration, 1 a port in use."""
    arguments = _arguments()
    try:
        settings = read_settings(arguments.config) if arguments.config else Settings()
        if arguments.keep:
            settings = settings.model_copy(update={"keep": arguments.keep})
    except (OSError, ValueError) as error:
        sys.stderr.write(f"cannot use {arguments.config}: {error}\n")
        return 2
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(settings, arguments.host, arguments.port))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"cannot listen on {arguments.host}:{arguments.port}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
