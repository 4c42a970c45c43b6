"""Every scenario of the demo as a person at a terminal would run it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.scenarios import SCENARIOS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
WINDOW = "25s"
"""Long enough for a busy machine with two cores, short enough to run all scenarios every time."""

LONGER = {"latency": "60s"}
"""Where other tests make stable slow too, it takes longer to tell; elsewhere it ends as early."""


def demo(*arguments: str) -> list[str]:
    """The command line, with a free port so that several may run at once."""
    return [sys.executable, "-m", "bot", "demo", "--port", "0", *arguments]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo puts its folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextlib.contextmanager
def running_demo(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """An interactive demo, up to the welcome, and what it printed so far."""
    with subprocess.Popen(
        demo(*arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if "Stop with Ctrl-C" in line:
                    break
            assert "Stop with Ctrl-C" in printed, printed
            yield process, printed
        finally:
            process.kill()


def processes_in(folder: Path) -> dict[int, str]:
    """Command lines by process id of all living processes that were started for this folder."""
    if not Path("/proc/self/environ").exists():
        return _processes_by_ps(folder)
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or is somebody else's
            # Valkey writes its title over its environment, but its output still goes to the folder.
            output = os.fsencode((place / "fd" / "1").readlink())
            if os.fsencode(folder) in output + (place / "environ").read_bytes():
                words = (place / "cmdline").read_bytes().split(b"\0")
                found[int(place.name)] = b" ".join(words).decode(errors="replace")
    return found


def _processes_by_ps(folder: Path) -> dict[int, str]:
    """Ask ps, which shows the environment too, where there is no /proc."""
    listed = subprocess.run(
        ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = (line.split(maxsplit=1) for line in listed if str(folder) in line)
    return {int(pid): command for pid, command in rows}


def wait_until_none(folder: Path) -> None:
    """Wait until nothing runs that names this folder."""
    deadline = time.monotonic() + 30
    while processes_in(folder):
        assert time.monotonic() < deadline, processes_in(folder)
        time.sleep(0.1)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_scenario_ends_as_it_must(name: str, temporary: Path) -> None:
    """The demo exits 0, having read the split back, and leaves neither process nor file."""
    found = subprocess.run(
        demo("--scenario", name, "--headless", "--window", LONGER.get(name, WINDOW)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    logs = "".join(
        f"\n--- {log.name}\n{log.read_text(errors='replace')[-4000:]}"
        for log in temporary.glob("canary-demo-*/*.log")
    )
    assert found.returncode == 0, found.stdout + found.stderr + logs
    scenario = SCENARIOS[name]
    shares = f"blue (v1) {scenario.split['blue']} %, green (v2) {scenario.split['green']} %"
    assert f"Envoy, asked itself, carries: {shares}" in found.stdout
    assert "/canary start shop v2" in found.stdout
    assert not found.stderr
    assert not list(temporary.glob("canary-demo-*"))
    assert not processes_in(temporary)


def test_ctrl_c_ends_the_demo_and_everything_it_started(temporary: Path) -> None:
    """Stopping is the normal end: exit code 0, no process and no file left."""
    with running_demo("--scenario", "quiet") as (process, printed):
        assert processes_in(temporary)
        assert re.search(r"Open +http://127\.0\.0\.1:\d+/", printed)
        assert "/canary start shop v2" in printed
        assert all(name in printed for name in SCENARIOS)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert not processes_in(temporary)
    assert not list(temporary.glob("canary-demo-*"))


def test_a_killed_demo_leaves_no_process(temporary: Path) -> None:
    """A kill -9 of the demo itself ends the router, the store and all the others."""
    with running_demo("--scenario", "quiet") as (process, _):
        assert processes_in(temporary)
        process.kill()
        process.wait()
    wait_until_none(temporary)


def test_a_part_that_dies_ends_the_demo_with_its_last_words(temporary: Path) -> None:
    """The terminal says which part it was and where the logs lie; nothing is left running."""
    with running_demo("--scenario", "quiet") as (process, _):
        (pid,) = [
            pid for pid, words in processes_in(temporary).items() if "valkey-server" in words
        ]
        os.kill(pid, signal.SIGKILL)
        assert process.stdout is not None
        rest = process.stdout.read()
        assert process.wait(60) == 1
    assert "valkey was ended by signal 9" in rest
    assert "All logs lie in" in rest
    assert not processes_in(temporary)


def test_a_port_in_use_is_said_and_the_next_one_taken(temporary: Path) -> None:
    """The page is where the terminal says it is."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with running_demo("--scenario", "quiet", "--port", str(port)) as (process, printed):
            assert f"Port {port} is in use, so the page is at port" in printed
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def test_kept_files_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    """--keep leaves configuration, data and logs in .demo/."""
    with subprocess.Popen(
        demo("--scenario", "quiet", "--keep"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Stop with Ctrl-C" in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    (folder,) = (tmp_path / ".demo").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert {"canary.yaml", "blue.jsonl", "green.jsonl", "bot.log", "load.log"} <= names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "erors"], "Did you mean errors?"),
        (["--window", "2s"], "write for example --window 60s"),
        (["--host", "192.0.2.1"], "Choose others with --port and --host"),
    ],
)
def test_a_wrong_option_is_answered_with_what_would_be_right(
    arguments: list[str], said: str
) -> None:
    """Exit code 2 and one sentence, before anything is started."""
    command = [sys.executable, "-m", "bot", "demo", "--headless", *arguments]
    found = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr
