"""The end of a rollout: everything calms down, and every canary must be in its right state."""

from typing import TYPE_CHECKING

from simulation.scenario import BLINDING, BOSS, Click

from adapters.stores.chaining import link_of
from adapters.stores.scripts import STREAM_LENGTH
from bot.core.audit import verified
from bot.core.canary import (
    Canary,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
)
from bot.core.machine import Refused
from bot.core.plan import FULL

if TYPE_CHECKING:
    from simulation.rollout import Rollout

LOOK = 0.5
"""Seconds between two looks at whether all is done."""

LONG = 1380.0
"""Seconds for which everything may still go on once the world is quiet, after the first 120."""

FAR_BACK = -100.0
"""Seconds by which a clock may stay behind."""

ANSWERED = 60.0
"""Seconds within which a start is answered: a store that hung may take so long to let go."""

REPAIRED = 8.0
"""Seconds within which a flip that landed late is seen and taken back."""

SETTLE = 1.5
"""Seconds for which it must stay so."""


def calm(rollout: "Rollout") -> None:
    """No more troubles: wait until all is done."""
    rollout.say("world", "calm")
    rollout.traps.clear()
    rollout.store._freezes.clear()
    for index, skew in enumerate(rollout.skews):
        if skew < FAR_BACK:  # somebody notices; until then windows last as much longer
            rollout.skews[index] = 0.0
    deadline = rollout.loop.time() + LONG + 120.0
    quiet_since: float | None = None
    asked_again = False

    def look() -> None:
        nonlocal quiet_since, asked_again
        now = rollout.loop.time()
        rollout.outside.advance(now)
        why = unsettled(rollout)
        if why and now > deadline - LONG and "clock_jump" in rollout.scenario.kinds:
            _give_up(rollout)
        if why:
            quiet_since = None
            if now > deadline:
                rollout.oracle.say(f"not settled {LONG + 120:.0f} s after calm: {why}")
        elif quiet_since is None:
            quiet_since = now
        if quiet_since is not None and now - quiet_since >= SETTLE:
            if rollout.scenario.again and not asked_again:
                asked_again = True
                quiet_since = None
                ask_again(rollout)
            else:
                judge(rollout)
                rollout.over = True
                return
        rollout.later(LOOK, look)

    look()


def _give_up(rollout: "Rollout") -> None:
    """A window that a wrong clock has made an hour long is ended by a person."""
    last = rollout.oracle.current()
    if last is not None and not last.is_ended and rollout.rng.random() < 0.05:
        rollout.people.click(Click(0, "abort", BOSS, 0), last.id)


def unsettled(rollout: "Rollout") -> str:
    """What is not yet done, or nothing."""
    for canary_id in rollout.store._rows:
        canary = rollout.oracle.truth[canary_id]
        if not canary.is_finished:
            return f"{canary.id} is {canary.phase.kind}, intends {canary.intents}"
    if rollout.loop.time() - rollout.oracle.landed_at < REPAIRED:
        return "what landed late may still be taken back"
    if FULL not in rollout.outside.split().values():
        return f"the router is at {rollout.outside.split()}"
    if any(not process.dead for process in rollout.people.pressed.values()):
        return "a click is not answered"
    if rollout.asking:
        return "a start is not answered"
    for replica in rollout.replicas:
        if replica.process.runs and replica.engine.service.held:
            return f"{replica.process.name} still holds {list(replica.engine.service.held)}"
    if not all(replica.process.runs for replica in rollout.replicas):
        return "a replica is not back"
    return ""


def ask_again(rollout: "Rollout") -> None:
    """An ended service accepts a new start; it is ended at once by a person."""
    rollout.outside.deploy("v3")
    rollout.store._freezes.clear()  # of a click that came late
    number = len(rollout.people.clicked)
    rollout.people.click(Click(0, "start", BOSS, 0))
    asked_at, rollout.asking = rollout.loop.time(), True

    def check() -> None:
        answer = rollout.people.answers.get(number)
        if answer is None and rollout.loop.time() - asked_at < ANSWERED:
            rollout.later(1.5, check)
            return
        rollout.asking = False
        if isinstance(answer, Canary):
            rollout.people.click(Click(0, "abort", BOSS, 0), answer.id)
        else:
            rollout.oracle.say(f"a quiet service does not take a new start: {answer!r}")

    rollout.later(1.5, check)


def judge(rollout: "Rollout") -> None:
    """Say whether every canary ended rightly, and the router is as the last one says."""
    oracle = rollout.oracle
    for canary_id, canary in oracle.truth.items():
        rollout.count(f"end {canary.phase.kind}")
        _explained(rollout, canary_id, canary)
        _shown(rollout, canary)
        _undone(rollout, canary)
    for what, times in rollout.outside.channel.posted.items():
        if times > 1:
            oracle.say(f"{what} was posted {times} times")
    _clicks(rollout)
    _router(rollout)
    _story(rollout)
    _chained(rollout)


def _chained(rollout: "Rollout") -> None:
    """No crash, takeover or lost answer has torn the record of what happened."""
    for canary_id, row in rollout.store._rows.items():
        links = [link_of(each) for each in row.stream]
        found = verified(canary_id, row.previous, row.chain, links, STREAM_LENGTH)
        if found.broken:
            rollout.oracle.say(f"{canary_id}: {found.broken[0]}")


def _shown(rollout: "Rollout", canary: Canary) -> None:
    shown = rollout.outside.channel.shown.get(canary.id)
    if shown != canary.phase.kind and not rollout.oracle.forgotten:
        rollout.oracle.say(f"the message of {canary.id} ends as {shown}, not {canary.phase.kind}")


def _undone(rollout: "Rollout", canary: Canary) -> None:
    """What is undone was promoted and stays so; each picture stands once."""
    oracle = rollout.oracle
    drawn = rollout.outside.channel.pictures[canary.id]
    if drawn != bool(canary.judge.looks) and not (oracle.forgotten and not drawn):
        oracle.say(f"{canary.id} has {drawn} pictures after {canary.judge.looks} looks")
    if not canary.undoes or oracle.forgotten:
        return
    rollout.count("undone")
    if not isinstance(oracle.truth[canary.undoes].phase, Promoted):
        oracle.say(f"{canary.id} undoes {canary.undoes}, which was not promoted")
    if not isinstance(canary.phase, RolledBack) or canary.phase.cause.kind != "undo":
        oracle.say(f"{canary.id} undoes {canary.undoes}, and is {canary.phase}")


def _router(rollout: "Rollout") -> None:
    last = rollout.oracle.current()
    if last is None or last.arms is None:
        return
    ended = rollout.oracle.ended_at.get(last.id, 0.0)
    if rollout.oracle.outside_touch >= ended:
        return
    weight = rollout.outside.split()[last.arms.canary]
    if weight != last.target:
        rollout.oracle.say(f"{last.id} is {last.phase.kind}, and the router carries {weight}")


def _clicks(rollout: "Rollout") -> None:
    """A refused click has left nothing behind, an abort that was heard no promotion."""
    oracle = rollout.oracle
    for number, answer in rollout.people.answers.items():
        click = rollout.people.clicked[number]
        if isinstance(answer, Refused) and oracle.takes[number] and click.what != "abort":
            oracle.say(f"{click.what} #{number} was refused, and was taken")
        if click.what != "abort" or not isinstance(answer, Canary):
            continue
        end = oracle.truth.get(answer.id)
        if end is None or not isinstance(end.phase, Promoted | Promoting):
            continue
        if not isinstance(answer.phase, RollingBack | RolledBack | Rejected):
            oracle.say(f"abort #{number} was answered with {answer.phase.kind}")
        elif end.phase.by is None:
            oracle.say(f"abort #{number} of {answer.id} was heard, and it was promoted")


def _explained(rollout: "Rollout", canary_id: str, canary: Canary) -> None:
    """No canary is blamed for nothing, none goes back without a reason."""
    oracle, kinds, phase = rollout.oracle, rollout.scenario.kinds, canary.phase
    if not isinstance(phase, RolledBack):
        return
    cause, right = phase.cause, False
    match cause.kind:
        case "breach":
            right = rollout.outside.broken_at is not None or bool(
                kinds & {"not_ready", "metrics_reset"}  # now and then it lasts that long
            )
        case "abort":
            right = any(click.what == "abort" for click in rollout.people.clicked) or (
                any(kind.startswith("store") for kind in kinds)
                and (cause.by is None or cause.by.id == "canarybot")
            )  # what was decided without the store reaches the record as an abort
        case "undo":
            right = any(click.what == "undo" for click in rollout.people.clicked)
        case "failure":
            right = bool(kinds & {"router_error", "router_lies", "router_slow", "router_late",
                                  "hand_up", "hand_down", "router_restart"})  # fmt: skip
        case "no_decision":
            right = (
                bool(kinds & BLINDING)
                or rollout.scenario.story in {"no_traffic", "blind"}
                or canary.plan.promote_gate is not None
                or bool(rollout.scenario.clicks[1:])
            )
    if not right:
        oracle.say(f"{canary_id} was rolled back for no reason: {cause.kind}, {cause.text}")


def _story(rollout: "Rollout") -> None:
    """What must come of a sound canary, and of a broken one."""
    chosen, oracle = rollout.scenario, rollout.oracle
    undisturbed = not chosen.troubles and len(chosen.clicks) == 1
    gated = chosen.plan.start_gate is not None or chosen.plan.promote_gate is not None
    first = next(iter(oracle.truth.values()), None)
    if undisturbed and first is None:
        oracle.say("nothing was ever started")
    if first is None:
        return
    promoted = isinstance(first.phase, Promoted)
    if chosen.story == "healthy" and undisturbed and not gated and not promoted:
        oracle.say(f"a sound canary is {first.phase}")
    broken, at = rollout.outside.broken_at, oracle.promoted_at.get(first.id, 0.0)
    if chosen.story == "breach" and promoted and broken is not None:
        seen = not chosen.kinds & BLINDING and first.phase.by is None  # type: ignore[union-attr]
        if seen and at > broken + 4.0:
            oracle.say(f"broken since {broken:.1f}, promoted at {at:.1f}")
    alone = isinstance(first.phase, Promoted) and first.phase.by is None
    if chosen.story in {"no_traffic", "blind"} and alone:
        oracle.say("promoted without any evidence")
