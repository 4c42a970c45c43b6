"""The files the demo writes are what the bot and Envoy read."""

import typing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.clock import SystemClock
from adapters.registry import Port, options_of
from bot.bootstrap import configure, http_client
from bot.config import load
from bot.core.plan import Weight
from bot.core.risk import History, assess, wanted
from bot.demo import envoy
from bot.demo.config import bot_config, write_config
from bot.demo.parts import REVISIONS
from bot.demo.places import Places
from bot.demo.repository import change_source
from bot.demo.scenarios import SCENARIOS, Pace


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, "127.0.0.1", page=1, valkey=2, blue=3, green=4, shop=5, admin=6)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_bot_reads_the_configuration_of_every_scenario(places: Places, name: str) -> None:
    """The file passes the bot's own validation and makes the plan of the scenario."""
    scenario = SCENARIOS[name]
    settings, _ = load(write_config(places, scenario, Pace(60)))
    plan = settings.plan_for("shop")
    assert plan.tier == "safe"
    assert [step.weight for step in plan.steps] == [Weight.percent(10)]
    assert plan.steps[0].window == timedelta(seconds=60)
    assert plan.promote_gate is None


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("tool", ["git", "none"])
async def test_what_v2_changes_decides_who_is_asked(
    places: Places, name: str, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read from a repository or told in the file, the change has the tier of its scenario."""
    if tool == "none":
        monkeypatch.setattr("shutil.which", lambda _: None)
    scenario = SCENARIOS[name]
    source = change_source(places.folder, scenario)
    assert source["adapter"] == ("git" if tool == "git" else "memory")
    path = write_config(places, scenario, Pace(60), source)
    monkeypatch.undo()
    clock = SystemClock()
    async with http_client() as http:
        made = configure(path, http, clock)
        policy = made.settings.policy
        seen = await made.changes["shop"].compare("v1", "v2", lambda one: wanted(one, ()))
    found = assess(seen, History(clock.now()), policy)
    assert found.tier == ("safe" if scenario.approver is None else "risky"), found
    assert found.rollback_is_safe == (name != "schema")
    assert found.seen


@pytest.mark.parametrize("seconds", [15, 20, 45, 60, 1800])
def test_every_window_the_demo_takes_makes_a_plan(places: Places, seconds: int) -> None:
    """The shortest window still has its three looks."""
    settings, _ = load(write_config(places, SCENARIOS["quiet"], Pace(seconds)))
    plan = settings.plan_for("shop")
    assert plan.steps[0].window == timedelta(seconds=seconds)
    assert plan.extension > plan.tick
    assert plan.objectives.warm_up < plan.steps[0].window / 2


@pytest.mark.parametrize("port", typing.get_args(Port))
def test_every_adapter_takes_its_options(places: Places, port: Port) -> None:
    """The options written for each adapter are that adapter's own."""
    config: dict[str, Any] = bot_config(places, SCENARIOS["healthy"], Pace(60))
    options = dict(config["services"]["shop"][port])
    options_of(port, options.pop("adapter")).model_validate(options)


def test_the_configuration_holds_no_secret(places: Places) -> None:
    """Tokens reach the bot by its environment only."""
    text = write_config(places, SCENARIOS["healthy"], Pace(60)).read_text()
    assert "xoxb" not in text
    assert "xapp" not in text


def test_envoy_begins_with_all_traffic_on_blue(tmp_path: Path) -> None:
    """The file that holds the split says so before anything has been asked for."""
    envoy.write_envoy(tmp_path, 1, 2, {"blue": 3, "green": 4})
    split = yaml.safe_load(envoy.split_file(tmp_path).read_text())
    assert split["resources"][0]["layer"] == {
        "canary.shop.shop_blue": 1000,
        "canary.shop.shop_green": 0,
    }


def test_envoy_watches_the_file_that_is_written(tmp_path: Path) -> None:
    """The layer of the split names the very file and its folder, and the admin layer comes last."""
    path = envoy.write_envoy(tmp_path, 1, 2, {"blue": 3, "green": 4})
    config = yaml.safe_load(path.read_text())
    layers = config["layered_runtime"]["layers"]
    source = layers[1]["rtds_layer"]["rtds_config"]["path_config_source"]
    assert source["path"] == str(envoy.split_file(tmp_path))
    assert source["watched_directory"] == {"path": str(envoy.split_file(tmp_path).parent)}
    assert "admin_layer" in layers[-1]


def test_envoy_listens_on_loopback_only(tmp_path: Path) -> None:
    """No address in the configuration is reached from another machine."""
    config = envoy.envoy_config(tmp_path / "split", 1, 2, {"blue": 3, "green": 4})
    text = yaml.safe_dump(config)
    assert text.count("address: 127.0.0.1") == text.count("port_value:") == 4


def test_a_split_without_any_weight_is_never_written(tmp_path: Path) -> None:
    """All weights at zero would fail every request, so the old split stays."""
    envoy.write_envoy(tmp_path, 1, 2, {"blue": 3, "green": 4})
    before = envoy.split_file(tmp_path).read_bytes()
    with pytest.raises(ValueError, match="must have a weight"):
        envoy.write_split(tmp_path, {"blue": 0, "green": 0})
    assert envoy.split_file(tmp_path).read_bytes() == before


def test_the_two_backends_run_different_revisions() -> None:
    """Blue and green are told apart by their revision."""
    assert set(REVISIONS) == set(envoy.CLUSTERS)
    assert len(set(REVISIONS.values())) == len(REVISIONS)
