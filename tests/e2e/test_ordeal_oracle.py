"""The oracle of the fault tests knows each way to be wrong when it sees one."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import ARMS, NOON, a_canary
from ordeal.layout import lay_out
from ordeal.oracle import Evidence, problems
from ordeal.people import Said
from ordeal.scripts import Script
from ordeal.watch import LATE, Watch

from bot.core.canary import Cause, Phase, Promoted, RolledBack
from bot.ports import Happening

END = NOON + timedelta(minutes=1)
GOOD = Promoted(END)
BACK = Cause("breach", "errors: 16 %")
Json = dict[str, Any]


def rolled_back(**changes: Any) -> RolledBack:
    """An end at 0 %."""
    return RolledBack(replace(BACK, **changes), END, timedelta(seconds=1))


def root(ts: str, head: str) -> Json:
    """A channel message."""
    return {"ts": ts, "blocks": [{"type": "header", "text": {"text": head}}]}


def seen(phase: Phase, story: Any = "healthy", **changes: Any) -> Evidence:
    """A rollout with nothing wrong, but for what is changed."""
    promoted = isinstance(phase, Promoted)
    share = 100 if promoted else 0
    evidence = Evidence(
        script=Script(story),
        canary=a_canary(phase=phase, arms=ARMS, notes=2),
        stream=(),
        said=Said(
            (root("1.1", "shop v2 promoted" if promoted else "shop v2 rolled back: errors"),),
            ((1, "1.1"), (2, "1.1")),
        ),
        split={"green": share, "blue": 100 - share},
        carried=frozenset({0, 25, share}),
        errors_at=NOON if story == "errors" else None,
        faults=(),
        aborted=False,
    )
    return replace(evidence, **changes)


HEADS = Said((root("1.1", "shop v2 at 25 %"),), ((1, "1.1"), (2, "1.1")))
TWICE = Said((root("1.1", "promoted"), root("1.2", "promoted")), ((1, "1.1"), (2, "1.1")))
WRONG = {
    "a bad revision was promoted": seen(GOOD, "errors"),
    "an abort was taken, and yet": seen(GOOD, stream=(Happening(NOON, "abort", "{}"),)),
    "before its window was over": seen(Promoted(NOON + timedelta(seconds=5))),
    "a healthy revision was blamed": seen(rolled_back()),
    "nobody aborted it": seen(rolled_back(kind="abort")),
    "undisturbed and healthy, and yet": seen(rolled_back(kind="no_decision")),
    "it has not ended": seen(a_canary().phase),
    "and Envoy carries": seen(rolled_back(), "errors", split={"blue": 75, "green": 25}),
    "it carried 100 %": seen(rolled_back(), "errors", carried=frozenset({0, 100})),
    "2 messages in the channel": seen(GOOD, said=TWICE),
    "0 messages in the channel": seen(GOOD, said=Said((), ())),
    "note 2 is there 2 times": seen(
        GOOD, said=replace(seen(GOOD).said, notes=((1, "1.1"), (2, "1.1"), (2, "1.1")))
    ),
    "notes [2] of 2 were never posted": seen(
        GOOD, said=replace(seen(GOOD).said, notes=((1, "1.1"),))
    ),
    "not all in one thread": seen(
        GOOD, said=replace(seen(GOOD).said, notes=((1, "1.1"), (2, "1.9")))
    ),
    "the message shows": seen(GOOD, said=HEADS),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_each_wrong_is_named(sentence: str) -> None:
    """And by its own sentence."""
    assert sentence in "; ".join(problems(WRONG[sentence]))


def test_nothing_is_wrong_with_the_ends_that_are_right() -> None:
    """Promoted, breached, and honestly given up under faults."""
    blind = seen(rolled_back(kind="no_decision"), faults=("kill envoy",))
    for right in (seen(GOOD), seen(rolled_back(), "errors"), blind):
        assert problems(right) == []


def test_a_weight_above_the_plan_is_wrong_when_it_stays(tmp_path: Any) -> None:
    """A flip that a stopped replica finishes is noted; one that is not taken back is wrong."""
    watch = Watch(lay_out(tmp_path, 1).shops[0])
    watch.expect("green", 0)
    watch.saw({"blue": 75, "green": 25}, 10.0)
    watch.saw({"blue": 100, "green": 0}, 10.5)
    assert (len(watch.late), watch.wrong) == (1, [])
    watch.saw({"blue": 75, "green": 25}, 20.0)
    watch.saw({"blue": 75, "green": 25}, 20.1 + LATE)
    assert len(watch.wrong) == 1
