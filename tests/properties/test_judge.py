"""The judge is a function of its samples: stored after every tick, it says the same, bit for bit."""

from datetime import timedelta

from builders import NOON
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.core.judge import JudgeState, begin, learn, look, verdict
from bot.core.slo import (
    Arms,
    Component,
    Histogram,
    LogCounts,
    LogEvents,
    NoData,
    Objectives,
    Readiness,
    Sample,
    Traffic,
)
from bot.core.verdict import Health

TICK = timedelta(seconds=10)
BOUNDS = (0.05, 0.1, 0.5)
STORED = TypeAdapter(JudgeState)


@st.composite
def traffic(draw: st.DrawFn) -> Traffic:
    counts = draw(st.tuples(*[st.integers(0, 300)] * 4))
    return Traffic(sum(counts), draw(st.integers(0, sum(counts))), Histogram(BOUNDS, counts))


def logs() -> st.SearchStrategy[LogCounts]:
    lines = st.builds(LogEvents, st.integers(1, 50), st.just("line"))
    return st.dictionaries(st.sampled_from("abcdef"), lines, max_size=3)


def readiness() -> st.SearchStrategy[Readiness]:
    part = st.builds(Component, st.sampled_from(("db", "queue")), st.booleans())
    parts = st.lists(part, max_size=2).map(tuple)
    return st.builds(Readiness, parts, restarts=st.none() | st.integers(0, 4))


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    nothing = NoData("timeout")
    found = []
    for index in range(draw(st.integers(1, 40))):
        pods = draw(st.none() | st.dictionaries(st.sampled_from("wxyz"), traffic(), min_size=3))
        found.append(
            Sample(
                NOON + TICK * index,
                NOON + TICK * (index + 1),
                draw(st.just(nothing) | st.builds(Arms, traffic(), traffic())),
                draw(st.just(nothing) | st.builds(Arms, logs(), logs())),
                draw(st.just(nothing) | st.builds(Arms, readiness(), readiness())),
                pods,
            )
        )
    return found


@settings(max_examples=30)
@given(st.lists(st.tuples(traffic(), logs()), max_size=30), samples())
def test_a_judge_taken_up_again_after_every_tick_says_the_same(
    past: list[tuple[Traffic, LogCounts]], seen: list[Sample]
) -> None:
    """State that went through JSON at every tick equals state that never did."""
    straight = stored = begin(Objectives(warm_up=timedelta(0)))
    for ordinary, lines in past:
        straight = learn(straight, ordinary, lines)
        stored = STORED.validate_json(STORED.dump_json(learn(stored, ordinary, lines)))
    for sample in seen:
        straight = look(straight, sample)
        stored = STORED.validate_json(STORED.dump_json(look(stored, sample)))

    assert straight == stored
    assert verdict(straight) == verdict(stored)


@settings(max_examples=30)
@given(samples())
def test_what_is_breached_by_chance_stays_breached(seen: list[Sample]) -> None:
    """The best evidence so far is kept: asking later never hides what asking earlier showed."""
    state = begin(Objectives())
    chance = 1.0
    for sample in seen:
        state = look(state, sample)
        assert state.errors.evidence.chance <= chance
        chance = state.errors.evidence.chance


@settings(max_examples=30)
@given(samples())
def test_an_empty_canary_is_never_healthy(seen: list[Sample]) -> None:
    """Whatever stable does, no requests are no reason to promote."""
    state = begin(Objectives())
    for sample in seen:
        match sample.traffic:
            case Arms(stable=stable):
                none = Arms(Traffic(latency=Histogram(BOUNDS, (0, 0, 0, 0))), stable)
                sample = Sample(sample.start, sample.end, none, sample.logs, sample.readiness)  # noqa: PLW2901  # the same look, without canary
            case _:
                pass
        state = look(state, sample)

    assert verdict(state).health is not Health.HEALTHY


def test_the_state_after_a_full_window_is_small() -> None:
    """A few kilobytes, with an hour of past and an ordinary number of signatures."""
    state = begin(Objectives())
    busy = Traffic(950, 5, Histogram(BOUNDS, (600, 280, 60, 10)))
    mine = Traffic(50, 1, Histogram(BOUNDS, (30, 15, 4, 1)))
    lines = {f"signature {number}": LogEvents(1, "a line") for number in range(10)}
    for _ in range(360):
        state = learn(state, busy, lines)
    for index in range(120):
        start = NOON + TICK * index
        both = Arms(mine, busy)
        up = Readiness((Component("db", ready=True),))
        state = look(state, Sample(start, start + TICK, both, Arms(lines, lines), Arms(up, up)))

    assert len(STORED.dump_json(state)) < 16_000
