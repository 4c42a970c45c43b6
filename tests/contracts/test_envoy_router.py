"""What can go wrong between the bot, the runtime file and a real Envoy."""

import asyncio
import fcntl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from servers import Envoy, envoy, free_port, launch, two_backends, wait_ready, wait_until

import adapters.traffic.envoy as module
import adapters.traffic.runtime_file as file_module
from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.registry import Surroundings
from adapters.traffic.envoy import EnvoyOptions, EnvoyRouter
from adapters.traffic.runtime_file import RUNTIME
from bot.core.plan import FULL, ZERO, Weight
from bot.core.slo import Arms
from bot.ports import PortError

ARMS = Arms(canary="green", stable="blue")
FIVE = Weight.percent(5)


def runtime(layer: Mapping[str, object], name: str = "rt") -> str:
    """The text of a runtime file; `blue` and `green` are our keys, others stand as they are."""
    keys = {f"canary.shop.{k}" if k in {"blue", "green", "gray"} else k: layer[k] for k in layer}
    return yaml.safe_dump({"resources": [{"@type": RUNTIME, "name": name, "layer": keys}]})


@dataclass
class Rig:
    """A real Envoy before two backends, and a router for it."""

    envoy: Envoy
    http: httpx.AsyncClient
    folder: Path

    def router(self, **changes: object) -> EnvoyRouter:
        options = {
            "runtime_file": self.envoy.runtime,
            "admin": self.envoy.admin,
            "key": "canary.shop",
            "backends": {"blue": "blue", "green": "green"},
        }
        surroundings = Surroundings("shop", SystemClock(), self.http, self.folder)
        return EnvoyRouter(EnvoyOptions.model_validate(options | changes), surroundings)

    def put(self, text: str) -> None:
        """Replace the runtime file by hand."""
        new = self.folder / "new"
        new.write_text(text)
        new.replace(self.envoy.runtime)

    async def final(self, key: str) -> str:
        body = (await self.http.get(f"{self.envoy.admin}/runtime")).json()
        return str(body["entries"].get(key, {}).get("final_value", ""))

    async def holds(self, key: str, value: object) -> None:
        async def shown() -> bool:
            return await self.final(key) == str(value)

        await wait_until(shown, f"{key} is {value}")

    async def answers(self, requests: int) -> Counter[str]:
        seen = [(await self.http.get(self.envoy.url)).text for _ in range(requests)]
        return Counter(seen)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        webs = await stack.enter_async_context(two_backends())
        ports = {name: server.port for name, server in webs.items()}
        first = runtime({"blue": 10000, "green": 0})
        running = await stack.enter_async_context(envoy(tmp_path, ports, first=first))
        http = await stack.enter_async_context(new_client())
        yield Rig(running, http, tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for what will not come."""
    monkeypatch.setattr(module, "_PATIENCE", 0.5)
    monkeypatch.setattr(file_module, "_LOCK_PATIENCE", 0.1)


async def test_requests_follow_a_shift(rig: Rig) -> None:
    """Once a shift returns, real requests are split as asked."""
    router = rig.router()
    assert await rig.answers(20) == {"blue": 20}
    await router.shift(ARMS, Weight.percent(50))
    half = await rig.answers(200)
    assert 60 < half["green"] < 140
    await router.shift(ARMS, FULL)
    assert await rig.answers(50) == {"green": 50}
    await router.shift(ARMS, ZERO)
    assert await rig.answers(50) == {"blue": 50}


async def test_a_weight_survives_envoys_restart(rig: Rig) -> None:
    """An Envoy that is killed and started again carries the weight it had."""
    router = rig.router()
    await router.shift(ARMS, FIVE)
    rig.envoy.server.kill()
    again = launch(rig.envoy.server.process.args, rig.folder / "again.log")  # type: ignore[arg-type]  # it is the list we gave
    try:
        await wait_ready(again, f"{rig.envoy.admin}/ready")
        assert (await router.split())["green"] == FIVE
    finally:
        again.stop()


async def test_other_keys_of_the_file_stay(rig: Rig) -> None:
    """Services that share a file keep their keys, and its mode stays."""
    rig.put(runtime({"blue": 10000, "green": 0, "canary.cart.v1": 300, "re2.limit": 5}))
    rig.envoy.runtime.chmod(0o664)
    await rig.router().shift(ARMS, FIVE)
    assert await rig.final("canary.cart.v1") == "300"
    assert await rig.final("re2.limit") == "5"
    assert rig.envoy.runtime.stat().st_mode & 0o777 == 0o664
    assert not [
        p for p in rig.folder.iterdir() if p.name.startswith(".rt.yaml.") and "lock" not in p.name
    ]


async def test_nested_keys_are_replaced(rig: Rig) -> None:
    """A weight written as nested mappings is found and not left beside the new one."""
    nested = {"canary": {"shop": {"blue": 10000, "green": 0}, "cart": {"v1": 7}}}
    rig.put(runtime(nested))
    await rig.router().shift(ARMS, FIVE)
    layer = yaml.safe_load(rig.envoy.runtime.read_text())["resources"][0]["layer"]
    assert layer == {
        "canary": {"cart": {"v1": 7}},
        "canary.shop.blue": 9500,
        "canary.shop.green": 500,
    }


async def test_a_missing_file_is_made(rig: Rig) -> None:
    """Without a runtime file the first shift makes one that Envoy takes."""
    rig.envoy.runtime.unlink()
    await rig.router().shift(ARMS, FIVE)
    assert (await rig.router().split())["green"] == FIVE


async def test_writers_of_one_file_lose_nothing(rig: Rig) -> None:
    """Many routers that write their own keys into one file at once all find them there."""
    routers = [rig.router(key=f"canary.s{n}") for n in range(8)]
    await asyncio.gather(*(r.shift(ARMS, Weight(n)) for n, r in enumerate(routers)))
    splits = await asyncio.gather(*(r.split() for r in routers))
    assert [split["green"] for split in splits] == [Weight(n) for n in range(8)]


async def test_an_override_is_named_with_its_cure(rig: Rig, impatient: None) -> None:
    """A weight that an admin override hides is an error that says how to clear it, and that works."""
    router = rig.router()
    query = "canary.shop.blue=4000&canary.shop.green=6000"
    await rig.http.post(f"{rig.envoy.admin}/runtime_modify?{query}")
    with pytest.raises(PortError, match=r"layer 'admin' overrides canary\.shop\.blue") as caught:
        await router.shift(ARMS, ZERO)
    assert (await router.split())["green"] == Weight.percent(60)
    cure = str(caught.value).split("'")[-2]
    assert "=***" not in cure
    await rig.http.post(cure)
    assert await router.split() == {"blue": FULL, "green": ZERO}


async def test_a_refused_file_is_an_error(rig: Rig, impatient: None) -> None:
    """A file whose resource is not Envoy's is written, not taken, and said to be so."""
    rig.put(runtime({"blue": 10000, "green": 0}, "other"))
    with pytest.raises(PortError, match=r"did not take it.*runtime\.update_rejected is"):
        await rig.router().shift(ARMS, FIVE)
    assert (await rig.router().split())["green"] == ZERO


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("resources: [: ", "malformed"),
        ("just text", "not an RTDS file"),
        ("resources: {a: 1}", "not an RTDS file"),
        ("resources: [{layer: 5}]", "not an RTDS file"),
        ("resources: [{name: a}, {name: b}]", "it has 2 resources"),
    ],
)
async def test_a_file_that_is_not_understood_is_left_alone(rig: Rig, text: str, says: str) -> None:
    """A broken file is not overwritten: other services' keys may be in it."""
    rig.put(text)
    with pytest.raises(PortError, match=says):
        await rig.router().shift(ARMS, FIVE)
    assert rig.envoy.runtime.read_text() == text


@pytest.mark.parametrize("text", ["resources: [: ", "just text", "resources: [{layer: 5}]"])
async def test_a_broken_file_does_not_hold_up_a_rollback(rig: Rig, text: str) -> None:
    """What Envoy took from it while it could be read is kept, other services' keys included."""
    others = {"canary.other.green": 300, "feature.x": "on", "feature.y": True, "ratio": 0.5}
    rig.put(runtime({"blue": 9500, "green": 500, **others}))
    await rig.holds("canary.other.green", 300)
    await rig.holds("canary.shop.green", 500)
    rig.put(text)

    await rig.router().shift(ARMS, ZERO)

    assert {"blue": FULL, "green": ZERO} == await rig.router().split()
    (resource,) = yaml.safe_load(rig.envoy.runtime.read_text())["resources"]
    layer = resource["layer"]
    assert layer["canary.other.green"] == 300
    assert (layer["feature.x"], layer["ratio"]) == ("on", 0.5)
    assert await rig.final("feature.y") in {"true", "True"}
    assert rig.envoy.runtime.with_name("rt.yaml.broken").read_text() == text
    await rig.router().shift(ARMS, FIVE)
    await rig.holds("canary.shop.green", 500)


async def test_an_unreachable_admin_leaves_the_weight_unconfirmed(
    rig: Rig, impatient: None
) -> None:
    """Without the admin the file is written and Envoy obeys, but the shift says it is unproven."""
    router = rig.router(admin=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(PortError, match=r"unconfirmed: Envoy's admin at .* cannot be reached"):
        await router.shift(ARMS, FIVE)
    await rig.holds("canary.shop.green", 500)
    with pytest.raises(PortError, match="cannot be reached"):
        await router.split()


async def test_another_server_is_not_taken_for_envoy(rig: Rig) -> None:
    """An admin address that answers something else is an error that says so."""
    with pytest.raises(PortError, match="not JSON"):
        await rig.router(admin=rig.envoy.url).split()


async def test_a_held_lock_is_an_error(rig: Rig, impatient: None) -> None:
    """While another program holds the lock nothing is written, and the lock is named."""
    before = rig.envoy.runtime.read_text()
    with (rig.folder / ".rt.yaml.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PortError, match=r"locked by another program.*\.rt\.yaml\.lock"):
            await rig.router().shift(ARMS, FIVE)
    assert rig.envoy.runtime.read_text() == before


async def test_a_missing_folder_is_an_error(rig: Rig) -> None:
    """A runtime file that cannot be written is an error that names it."""
    with pytest.raises(PortError, match=r"none/rt\.yaml cannot be written"):
        await rig.router(runtime_file="none/rt.yaml").shift(ARMS, FIVE)


@pytest.mark.parametrize(
    ("layer", "green"),
    [
        ({"blue": 95, "green": 5}, 50),
        ({"blue": 2, "green": 1}, 333),
        ({"blue": 9999, "green": 1}, 1),
        ({"blue": 1, "green": 99999}, 999),
        ({"blue": 0, "green": 3}, 1000),
    ],
)
async def test_foreign_totals_are_read_by_ratio(
    rig: Rig, layer: dict[str, int], green: int
) -> None:
    """Weights of any total are read as shares of 100 %, and traffic is never read as none."""
    rig.put(runtime(layer))
    await rig.holds("canary.shop.green", layer["green"])
    assert await rig.router().split() == {"blue": Weight(1000 - green), "green": Weight(green)}


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ({"blue": 10000, "mark": 1}, r"no canary\.shop\.green.*layer: {canary\.shop\.blue: 10000"),
        ({"blue": 0, "green": 0, "mark": 1}, "every weight .* is 0"),
        ({"blue": 1.5, "green": 0, "mark": 1}, "not a whole number"),
        ({"blue": 9, "green": 0, "gray": 1, "mark": 1}, "'gray', which is not among"),
    ],
)
async def test_a_split_that_cannot_be_known_is_never_guessed(
    rig: Rig, layer: dict[str, object], says: str
) -> None:
    """Missing, zero, odd or foreign weights are errors that say what to put right."""
    rig.put(runtime(layer))
    await rig.holds("mark", 1)
    with pytest.raises(PortError, match=says):
        await rig.router().split()


@pytest.mark.parametrize("change", [{"runtime_file": "rt.pb"}, {"backends": {"a": "x"}}])
def test_options_that_cannot_work_are_refused(change: dict[str, object]) -> None:
    """A format Envoy's file cannot have, or a single backend, is no configuration."""
    options = {"runtime_file": "rt.yaml", "admin": "http://a", "key": "k"}
    backends = {"backends": {"a": "x", "b": "y"}}
    EnvoyOptions.model_validate(options | backends)
    with pytest.raises(ValueError, match=r"must end in|at least 2"):
        EnvoyOptions.model_validate(options | backends | change)
