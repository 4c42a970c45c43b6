"""Adapters are found by name, and a bad one harms nobody but who asks for it."""

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from adapters import registry
from adapters.clock import SystemClock
from adapters.http import new_client
from adapters.registry import BrokenAdapter, Port, Surroundings, UnknownAdapter, known, make
from adapters.traffic.memory import MemoryRouter, MemoryRouterOptions
from bot.core.plan import Weight


def offer(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """Let installed packages offer these traffic adapters, and nothing else."""

    def entry_points(*, group: str) -> EntryPoints:
        found = points if group == "canarybot.traffic" else ()
        return EntryPoints(EntryPoint(name, value, group) for name, value in found)

    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.setattr(registry, "_installed", registry._installed.__wrapped__)


def test_built_in_names_need_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ships with the bot is known even when nothing is installed."""
    offer(monkeypatch)
    assert known("traffic") == ("envoy", "memory")
    assert known("metrics") == ("memory", "openmetrics", "prometheus")
    assert known("logs") == ("file", "memory")
    assert known("readiness") == ("http", "memory")


@pytest.mark.parametrize("port", get_args(Port))
def test_built_in_adapters_have_the_shape(port: Port) -> None:
    """Every built-in adapter can be loaded and says what may be configured, and nothing more."""
    for name in known(port):
        options = registry.options_of(port, name)
        assert options.model_config.get("extra") == "forbid"
        assert options.model_config.get("frozen") is True


async def test_a_third_partys_adapter_is_made_of_its_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installed package's adapter is known beside the built-in ones, and can be made."""
    offer(monkeypatch, ("mesh", "adapters.traffic.memory:MemoryRouter"))
    assert known("traffic") == ("envoy", "memory", "mesh")
    assert registry.options_of("traffic", "mesh") is MemoryRouterOptions
    async with new_client() as http:
        around = Surroundings("shop", SystemClock(), http, tmp_path)
        router = make("traffic", "mesh", {"split": {"a": 99.5, "b": 0.5}}, around)
        assert isinstance(router, MemoryRouter)
        assert await router.split() == {"a": Weight(995), "b": Weight(5)}
        with pytest.raises(ValidationError, match="splat"):
            make("traffic", "mesh", {"splat": {}}, around)
        with pytest.raises(ValidationError, match="add up to 90 %"):
            make("traffic", "mesh", {"split": {"a": 50, "b": 40}}, around)


def test_a_mistyped_name_is_answered_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of an unknown name lists the known ones and guesses which was meant."""
    offer(monkeypatch)
    with pytest.raises(UnknownAdapter) as caught:
        registry.options_of("traffic", "enovy")
    expected = "unknown traffic adapter 'enovy'; known: envoy, memory; did you mean 'envoy'?"
    assert str(caught.value) == expected
    with pytest.raises(UnknownAdapter) as caught:
        registry.options_of("traffic", "zzz")
    assert str(caught.value) == "unknown traffic adapter 'zzz'; known: envoy, memory"


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([("bad", "no_such_module:X")], r"cannot be loaded: ModuleNotFoundError.*reinstall"),
        ([("bad", "adapters.http:NoSuch")], "cannot be loaded: AttributeError"),
        ([("bad", "adapters.http:masked")], "is not an adapter"),
        ([("bad", "a:X"), ("bad", "b:X")], "offered twice, by a:X and b:X"),
    ],
)
def test_a_broken_adapter_harms_only_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, points: list[tuple[str, str]], says: str
) -> None:
    """An offer that cannot be loaded is known, fails with a reason when asked for, not before."""
    offer(monkeypatch, *points)
    assert known("traffic") == ("bad", "envoy", "memory")
    assert registry.options_of("traffic", "memory") is MemoryRouterOptions
    with pytest.raises(BrokenAdapter, match=says):
        registry.options_of("traffic", "bad")


def test_a_built_in_name_cannot_be_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that offers a built-in name changes nothing."""
    offer(monkeypatch, ("memory", "no_such_module:X"))
    assert registry.options_of("traffic", "memory") is MemoryRouterOptions
