"""Ends the demo's processes when the demo itself is killed and cannot do so.

It leads the process group all parts run in and waits on a pipe whose other end only the demo
holds. A kill -9 of the demo closes that pipe on every system, which no part would notice itself.
Run as a plain script: it needs nothing but the standard library and starts in no time.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 2.0
"""Between asking the parts to end and ending them."""


def main() -> int:
    """Wait until the demo is gone; one that ends in order kills this process first."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    if os.getpgrp() != os.getpid():
        return 1  # not the leader of a group of its own: its members are not ours to end
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
