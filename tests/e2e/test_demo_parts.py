"""The demo's parts as real processes: what they keep, what they split, how they break and end."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest
import redis

from bot.demo import envoy, parts
from bot.demo.behaviour import Fault
from bot.demo.load import Load, Tally
from bot.demo.loopback import free_ports, get
from bot.demo.places import Places, choose_places
from bot.demo.processes import DemoError, Part, Processes

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return choose_places(tmp_path, "127.0.0.1", free_ports(1)[0])


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path) as found:
        yield found


def eventually(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait for a condition, or fail saying which."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False  # no such file system here; an adopted process is collected soon
    return stat.rpartition(")")[2].split()[0] == "Z"


def start_the_shop(
    processes: Processes, places: Places, fault: Fault = Fault.NONE, onset: int = 0
) -> None:
    """Both revisions behind Envoy, ready."""
    started = [
        parts.start_shop(processes, places, backend, fault, onset) for backend in ("blue", "green")
    ]
    started.append(parts.start_envoy(processes, places))
    for part in started:
        processes.wait(part, partial(parts.answers, part, places))


async def send(places: Places, count: int) -> Counter[str]:
    """Requests through Envoy, counted by the revision that answered."""
    async with httpx.AsyncClient(trust_env=False) as client:
        found: Counter[str] = Counter()
        for _ in range(count // 20):
            answers = [client.get(f"http://127.0.0.1:{places.shop}/") for _ in range(20)]
            found.update(a.headers["X-Revision"] for a in await asyncio.gather(*answers))
        return found


async def test_valkey_keeps_what_it_acknowledged_over_a_kill(
    processes: Processes, places: Places
) -> None:
    """A second after a write its data is on the disk, and a killed server comes back with it."""
    part = parts.start_valkey(processes, places)
    processes.wait(part, lambda: parts.valkey_answers(places.valkey))
    with redis.Redis(port=places.valkey) as client:
        client.set("canary", "shop-k3x9ab")
        client.waitaof(1, 0, 5000)
    part.process.kill()
    part.process.wait()
    with Processes(places.folder) as again:
        part = parts.start_valkey(again, places)
        again.wait(part, lambda: parts.valkey_answers(places.valkey))
        with redis.Redis(port=places.valkey) as client:
            assert client.get("canary") == b"shop-k3x9ab"


async def test_envoy_splits_as_the_file_says(processes: Processes, places: Places) -> None:
    """A new file changes the split at once, and Envoy reads back what the file holds."""
    start_the_shop(processes, places)
    assert envoy.read_split(places.admin) == {"blue": 100, "green": 0}
    assert await send(places, 40) == {"v1": 40}
    envoy.write_split(places.envoy, {"blue": 700, "green": 300})
    eventually(lambda: envoy.read_split(places.admin)["green"] == 30, "30 % on green")
    found = await send(places, 1000)
    assert 200 < found["v2"] < 400  # 6 standard deviations either way
    envoy.write_split(places.envoy, {"blue": 0, "green": 1000})
    eventually(lambda: envoy.read_split(places.admin)["green"] == 100, "all on green")
    assert await send(places, 40) == {"v2": 40}


async def test_envoy_keeps_the_split_over_a_restart(processes: Processes, places: Places) -> None:
    """The file is the truth: Envoy killed and started again carries the same split."""
    start_the_shop(processes, places)
    envoy.write_split(places.envoy, {"blue": 900, "green": 100})
    eventually(lambda: envoy.read_split(places.admin)["green"] == 10, "10 % on green")
    config = places.envoy / "envoy.yaml"
    (running,) = [p for p in processes.parts if p.name == "envoy"]
    running.process.kill()
    running.process.wait()
    with Processes(places.folder) as again:
        part = parts.launch_envoy(again, config)
        again.wait(part, lambda: parts.answers(part, places))
        assert envoy.read_split(places.admin) == {"blue": 90, "green": 10}


async def test_a_bad_split_changes_nothing(processes: Processes, places: Places) -> None:
    """Envoy goes on with the last split it could read."""
    start_the_shop(processes, places)
    broken = places.envoy / "runtime" / ".new"
    broken.write_text("resources: [not a runtime")
    broken.replace(envoy.split_file(places.envoy))
    stats = "/stats?filter=runtime.load_error|runtime.*update_failure"
    eventually(
        lambda: any(int(line.split(b": ")[1]) for line in _lines(places.admin, stats)),
        "Envoy has noticed",
    )
    assert envoy.read_split(places.admin) == {"blue": 100, "green": 0}


def _lines(port: int, path: str) -> list[bytes]:
    return (get(port, path) or b"").splitlines()


async def test_each_arm_is_counted_on_its_own(processes: Processes, places: Places) -> None:
    """Envoy tells requests and a latency histogram for each cluster."""
    start_the_shop(processes, places)
    envoy.write_split(places.envoy, {"blue": 500, "green": 500})
    eventually(lambda: envoy.read_split(places.admin)["green"] == 50, "half on green")
    found = await send(places, 200)
    path = "/stats/prometheus?filter=upstream_rq"
    for cluster, revision in (("shop_blue", "v1"), ("shop_green", "v2")):
        name = "envoy_cluster_upstream_rq_total"
        wanted = f'{name}{{envoy_cluster_name="{cluster}"}} {found[revision]}'.encode()
        assert wanted in _lines(places.admin, path)
    buckets = [
        f'{{envoy_cluster_name="{c}",le="750"}}'.encode() for c in ("shop_blue", "shop_green")
    ]

    def has_buckets() -> bool:
        lines = _lines(places.admin, path)
        return all(any(bucket in line for line in lines) for bucket in buckets)

    eventually(has_buckets, "the histograms have the demo's buckets")


@pytest.mark.parametrize("fault", [Fault.LOGS, Fault.READINESS])
async def test_the_new_revision_breaks_under_traffic_and_only_it(
    processes: Processes, places: Places, fault: Fault
) -> None:
    """The fault shows on green alone, in its log or its health, while requests succeed."""

    def told(backend: str) -> str:
        health = (get(places.backends[backend], "/health") or b"").decode()
        return health + places.log_of(backend).read_text()

    word = "orders.discount" if fault is Fault.LOGS else "no consumer"
    start_the_shop(processes, places, fault)
    envoy.write_split(places.envoy, {"blue": 500, "green": 500})
    eventually(lambda: envoy.read_split(places.admin)["green"] == 50, "half on green")
    assert word not in told("green")
    deadline = time.monotonic() + 30
    while word not in told("green"):
        assert time.monotonic() < deadline
        await send(places, 20)
    assert word not in told("blue")
    health = json.loads(get(places.green, "/health") or b"")
    assert health["revision"] == "v2"
    assert set(health["components"]) == {"db", "mount", "queue"}
    for line in places.log_of("green").read_text().splitlines():
        assert {"ts", "level", "message"} <= set(json.loads(line))


async def test_load_keeps_its_rate_whatever_the_answers(
    processes: Processes, places: Places
) -> None:
    """Arrivals are an open loop, answers are counted by status, and a summary says so."""
    start_the_shop(processes, places)
    tally = Tally()
    await Load("127.0.0.1", places.shop, tally).run(rate=100, seconds=3)
    answered = sum(tally.statuses.values())
    assert 180 < answered + tally.skipped < 420
    assert tally.broken == 0
    assert "2xx" in str(tally)


async def test_load_counts_what_is_not_answered(places: Places) -> None:
    """Nobody listening is counted, not an error of the load."""
    tally = Tally()
    await Load("127.0.0.1", places.shop, tally).run(rate=50, seconds=1)
    assert tally.broken > 0
    assert not tally.statuses


def test_a_part_that_ends_at_once_is_reported_with_its_last_words(processes: Processes) -> None:
    """The error names the part, its exit code and what it printed."""
    part = processes.start("teapot", [sys.executable, "-c", "exit('no water in the pot')"])
    with pytest.raises(DemoError, match=r"teapot ended with exit code 1(.|\n)*no water"):
        processes.wait(part, lambda: False)


def test_a_part_that_cannot_be_started_is_reported(processes: Processes, tmp_path: Path) -> None:
    """A missing program is a sentence with what to do."""
    with pytest.raises(DemoError, match=r"kettle cannot be started.*make demo"):
        processes.start("kettle", [tmp_path / "nothing"])


def test_a_part_that_does_not_get_ready_is_reported(processes: Processes) -> None:
    """Waiting has an end, which says what was waited for."""
    part = processes.start("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(DemoError, match=r"sleeper was not ready after 0\.2 s"):
        processes.wait(part, lambda: False, patience=0.2)


def test_nothing_of_a_real_slack_or_redis_reaches_a_part(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens, addresses and proxies of the person's own environment are left out."""
    monkeypatch.setenv("CANARY_REDIS_URL", "redis://production")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-real")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    code = "import os; print(*os.environ.items(), sep='\\n')"
    part = processes.start("printer", [sys.executable, "-c", code], {"SLACK_API_URL": "ours"})
    part.process.wait(30)
    printed = part.log.read_text()
    assert "SLACK_API_URL" in printed
    for word in ("production", "xoxb-real", "http://proxy"):
        assert word not in printed


STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def stubborn(processes: Processes) -> Part:
    """A part that does not end when asked to."""
    part = processes.start("stubborn", [sys.executable, "-c", STUBBORN])
    processes.wait(part, lambda: "ready" in part.log.read_text())
    return part


def test_leaving_ends_every_part_whatever_happened(places: Places) -> None:
    """An error in the middle leaves no process behind, a server or one that ignores SIGTERM."""
    pids: list[int] = []
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(RuntimeError, match="in the middle"))
        processes = stack.enter_context(Processes(places.folder))
        started = [parts.start_valkey(processes, places), parts.start_envoy(processes, places)]
        started.append(stubborn(processes))
        pids += [part.process.pid for part in started]
        raise RuntimeError("in the middle")
    assert pids
    assert all(gone(pid) for pid in pids)


DEMO_TO_KILL = f"""
import os, sys, time
from functools import partial
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from bot.demo import parts
from bot.demo.places import choose_places
from bot.demo.processes import Processes
from bot.demo.behaviour import Fault

places = choose_places(Path(sys.argv[1]), "127.0.0.1", 1)
with Processes(places.folder) as processes:
    parts.start_valkey(processes, places)
    parts.start_envoy(processes, places)
    parts.start_shop(processes, places, "blue", Fault.NONE, 0)
    parts.start_load(processes, places, 10)
    processes.start("stubborn", [sys.executable, "-c", {STUBBORN!r}])
    print(*[part.process.pid for part in processes.parts], processes.warden, flush=True)
    time.sleep(600)
"""


def test_a_killed_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    """Even kill -9, which no program can notice, ends every part."""
    with subprocess.Popen(
        [sys.executable, "-c", DEMO_TO_KILL, str(tmp_path)], stdout=subprocess.PIPE
    ) as demo:
        assert demo.stdout is not None
        pids = [int(word) for word in demo.stdout.readline().split()]
        assert len(pids) == 6
        assert not any(gone(pid) for pid in pids)
        demo.send_signal(signal.SIGKILL)
        demo.wait()
    try:
        eventually(lambda: all(gone(pid) for pid in pids), "all parts have ended")
    finally:
        for pid in [pid for pid in pids if not gone(pid)]:
            os.kill(pid, signal.SIGKILL)


def test_free_ports_are_all_different() -> None:
    """Five servers get five ports."""
    count = random.randrange(5, 20)
    assert len(set(free_ports(count))) == count
