"""What a canary's picture looks like from outside: a PNG of the right size, whatever the words."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from unit.core.windows import (
    Arm,
    Moment,
    Seen,
    aborted,
    breach,
    healthy,
    moments,
    thin,
    window,
)

from bot.core.canary import Canary
from bot.core.chronicle import chronicle
from bot.slack.pictures.captions import MOST_ALT, alt_text, drawn, title
from bot.slack.pictures.curves import WIDE
from bot.slack.views.slos import NAMES

ROOT = Path(__file__).parents[3]
HOSTILE = (
    "pay$x_1$",
    "v2 $\\frac{1}{0}$ ^_{",
    "\u202egnp.exe \x00\x07\ud800",
    "日本語 🚀 \u0627\u0644\u0639",
    "<!channel> & `x`\n" * 40,
)

KINDS: dict[str, Callable[[], tuple[Canary, Seen]]] = {
    "errors": lambda: breach("errors"),
    "latency": lambda: breach("latency"),
    "logs": lambda: breach("logs"),
    "readiness": lambda: breach("readiness"),
    "restarts": lambda: breach("restarts"),
    "promoted": healthy,
    "thin": thin,
    "aborted": lambda: aborted(window(moments(40, lambda _: Arm(error_rate=0.01)))),
    "one look": lambda: aborted(window([Moment()])),
    "two looks": lambda: aborted(window([Moment(), Moment()])),
    "nothing": lambda: aborted(window([Moment(blind=("metrics", "logs", "readiness"))] * 3)),
}


def png(what: dict[str, Any], **environment: str) -> bytes:
    """What the child process draws, which must have nothing to complain of."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "bot.slack.pictures.drawing"],
        input=json.dumps(what).encode(),
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def size(picture: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the file's header says."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_end_can_be_drawn(kind: str) -> None:
    """As wide as a phone shows sharply, and no taller than a screen or two of it."""
    found = chronicle(*KINDS[kind]())

    width, height = size(png(drawn(found)))

    assert width == WIDE
    assert 300 <= height <= 2 * WIDE
    assert bool(found.series) == (kind != "nothing")


@pytest.mark.parametrize("text", HOSTILE)
def test_words_from_outside_are_only_words(text: str) -> None:
    """No formula, no missing letter, no invisible character and no length breaks the drawing."""
    canary, seen = breach("logs")
    found = chronicle(replace(canary, service=text, revision=text), seen)
    loud = replace(found.series[-1], signatures=(text,))
    found = replace(found, series=(*found.series[:-1], loud))

    width, _ = size(png(drawn(found)))

    assert width == WIDE
    assert "\u202e" not in title(found)
    assert len(title(found)) <= 120
    assert len(alt_text(found)) <= MOST_ALT


def test_a_home_that_cannot_be_written_to_is_no_hindrance(tmp_path: Path) -> None:
    """The library's own files go to a place that is gone afterwards."""
    nowhere = "/proc/self/nowhere"
    environment = {"HOME": nowhere, "XDG_CONFIG_HOME": nowhere, "XDG_CACHE_HOME": nowhere}
    what = drawn(chronicle(*KINDS["one look"]()))

    done = subprocess.run(
        [sys.executable, "-m", "bot.slack.pictures.drawing"],
        input=json.dumps(what).encode(),
        capture_output=True,
        cwd=ROOT,
        env={**environment, "PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
        timeout=100,
        check=False,
    )

    assert size(done.stdout)[0] == WIDE
    assert list(tmp_path.iterdir()) == []


def test_the_breached_indicator_comes_first() -> None:
    """With where its trouble began, when it was decided and what it is held to."""
    found = chronicle(*breach("latency"))
    what = drawn(found)

    assert what["panels"][0]["name"] == NAMES[found.breached[0]]
    assert [panel["breached"] for panel in what["panels"]] == [True, False, False, False, False]
    assert what["onset"][1] == "12:06"
    assert what["decided"][0] == what["until"]
    assert {p["name"]: p["limit"] for p in what["panels"]}["Latency p95"] == 0.3
    assert json.loads(json.dumps(what)) == what


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("errors", "shop v2 rolled back: errors"),
        ("promoted", "shop v2 promoted"),
        ("aborted", "shop v2 aborted"),
        ("thin", "shop v2 rolled back: nobody decided"),
    ],
)
def test_the_title_says_how_it_ended(kind: str, said: str) -> None:
    """In a few words."""
    assert title(chronicle(*KINDS[kind]())) == said


def test_the_alternative_text_has_the_numbers() -> None:
    """Whoever cannot see the picture knows what it shows."""
    canary, seen = breach("errors")
    said = alt_text(chronicle(canary, seen))

    finding = canary.phase.cause.findings[0]  # type: ignore[union-attr] # it is rolled back
    assert said.startswith("shop v2 rolled back: errors, at 12:1")
    assert "It began at 12:0" in said
    assert f"Errors {finding.canary:.2%}".replace("%", " %") in said
    assert "limit 5.00 %, breached" in said
    assert "all components up" in said


def test_the_alternative_text_of_an_outage_says_what_was_down() -> None:
    """And since when."""
    said = alt_text(chronicle(*breach("readiness")))

    assert "db down for 30 s: no answer" in said
    assert "readiness" in said
