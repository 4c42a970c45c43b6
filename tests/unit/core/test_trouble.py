"""The first sign of trouble is told once, before the breach, and hardly ever without cause."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from builders import NOON, a_canary
from unit.core.windows import Arm, Moment, window

from bot.core.canary import Canary, Observing, RollingBack
from bot.core.effects import Note, Tell, Topic
from bot.core.events import Observed
from bot.core.judge import begin, verdict
from bot.core.judge import look as judging
from bot.core.machine import Transition, transition
from bot.core.slo import Arms, Histogram, Objectives, Readiness, Sample, Sli, Traffic
from bot.core.trouble import SUSPICIOUS, first_sign
from bot.core.verdict import Finding, Health, Verdict


def watched(moments: list[Moment], *, seed: int = 1) -> tuple[Canary, list[Note]]:
    """A canary after these looks, or after its breach, and every note on the way."""
    later = NOON + timedelta(hours=9)
    canary = a_canary(phase=Observing(0, NOON, later, later), last_look_at=NOON)
    notes = []
    for look in window(moments, seed=seed):
        assert isinstance(look, Observed)
        move = transition(canary, look)
        assert isinstance(move, Transition)
        canary = move.canary
        notes += [effect.note for effect in move.effects if isinstance(effect, Tell)]
        if isinstance(canary.phase, RollingBack):
            break
    return canary, notes


BAD = {
    "errors": (Arm(error_rate=0.03), Sli.ERRORS),
    "latency": (Arm(slowness=1.25), None),
    "outage": (Arm(down=("db",)), Sli.READINESS),
}


@pytest.mark.parametrize("kind", BAD)
def test_the_first_sign_is_told_once_and_before_the_breach(kind: str) -> None:
    """With the numbers it rests on; the thread hears no more of it until it is a breach."""
    bad, sli = BAD[kind]
    calm = [Moment(Arm(), Arm(600))] * 15
    canary, notes = watched(calm + [Moment(bad, Arm(600))] * 200)

    assert isinstance(canary.phase, RollingBack), "it is a breach in the end"
    told = [note for note in notes if note.topic is Topic.TROUBLE]
    assert 1 == len(told)
    (finding,) = told[0].findings
    assert sli in {None, finding.sli}
    assert finding.health is not Health.BREACHED
    assert told[0].detail == finding.reason
    assert told[0].detail
    assert canary.trouble_at == told[0].at
    assert told[0].at < canary.phase.since
    assert any("first sign of trouble" in entry.text for entry in canary.timeline)


def test_a_sudden_breach_is_told_as_a_breach_only() -> None:
    """What is beyond doubt at one look has no first sign."""
    finding = Finding(Sli.ERRORS, Health.BREACHED, chance=1e-9, reason="all fail")
    assert first_sign(Verdict((finding,)), begin(Objectives())) is None


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        (Finding(Sli.ERRORS, Health.HEALTHY, chance=1.0), False),
        (Finding(Sli.ERRORS, Health.THIN, chance=SUSPICIOUS * 1.01), False),
        (Finding(Sli.P95, Health.THIN, chance=SUSPICIOUS), True),
        (Finding(Sli.LOGS, Health.THIN), True),
        (Finding(Sli.LOGS, Health.BLIND), False),
        (Finding(Sli.LOGS, Health.HEALTHY), False),
        (Finding(Sli.READINESS, Health.HEALTHY), False),
    ],
)
def test_what_counts_as_a_sign(finding: Finding, told: bool) -> None:
    """An unlikely number, or an error that only the canary logs; a blind eye is none."""
    sign = first_sign(Verdict((finding,)), begin(Objectives()))
    assert (sign is not None) == told


def test_one_look_at_which_a_component_is_down_is_none() -> None:
    """Two in a row are; the sentence names the component."""
    calm = [Moment(Arm(), Arm(600))] * 5
    down = Moment(Arm(down=("db",)), Arm(600))
    _, once = watched([*calm, down, *calm])
    _, twice = watched([*calm, down, down, *calm])
    assert [] == [note for note in once if note.topic is Topic.TROUBLE]
    (note,) = [note for note in twice if note.topic is Topic.TROUBLE]
    assert "db is down" in note.detail
    assert "up on stable" in note.detail


def counted(chance: np.random.Generator, requests: int) -> Traffic:
    """A look at a healthy arm: half a per cent fail, a twentieth takes longer than 400 ms."""
    number = int(chance.poisson(requests))
    times = chance.multinomial(number, [0.5, 0.3, 0.15, 0.04, 0.01])
    latency = Histogram((0.05, 0.1, 0.4, 1.0), tuple(map(int, times)))
    return Traffic(number, int(chance.binomial(number, 0.005)), latency)


@pytest.mark.parametrize(("requests", "seeds"), [(30, 150), (300, 150)])
def test_healthy_canaries_hardly_ever_show_a_sign(requests: int, seeds: int) -> None:
    """Of some hundred of them, watched for ten minutes, at most one in thirty."""
    tick, ready = timedelta(seconds=10), Readiness(())
    signs = 0
    for seed in range(seeds):
        chance, state, at = np.random.default_rng(seed), begin(Objectives()), NOON
        for _ in range(60):
            traffic = Arms(counted(chance, requests), counted(chance, 19 * requests))
            sample = Sample(at, at + tick, traffic, Arms({}, {}), Arms(ready, ready))
            state, at = judging(state, sample), at + tick
        signs += first_sign(verdict(state), state) is not None  # chances never rise again
    assert signs <= seeds / 30


def test_a_sign_in_a_record_is_not_told_again() -> None:
    """After a restart it is known still."""
    calm = [Moment(Arm(), Arm(600))] * 5
    down = [Moment(Arm(down=("db",)), Arm(600))] * 2
    later = NOON + timedelta(hours=9)
    canary = a_canary(phase=Observing(0, NOON, later, later), last_look_at=NOON)
    canary = replace(canary, trouble_at=NOON)
    for look in window(calm + down):
        move = transition(canary, look)
        assert isinstance(move, Transition)
        assert not any(isinstance(effect, Tell) for effect in move.effects)
        canary = move.canary
    assert canary.trouble_at == NOON
