"""Log signatures: new ones that only the canary logs, and known ones that it logs far more."""

import math
import zlib
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.core.judge.clumps import clump_size, tilt
from bot.core.judge.state import JudgeState, Signature
from bot.core.slo import LogCounts, NoData, Sample
from bot.core.tuning import Tuning

MOST_A_LOOK: Final = 4.5
"""Log of the most that one look can win: one client is not a trend."""

CLUMPING: Final = clump_size(4.0)
"""Lines of one signature come in clumps: one request logs many."""


def with_past_logs(state: JudgeState, stable: LogCounts) -> JudgeState:
    """Remember what stable logs on an ordinary day."""
    found = {_checksum(name) for name in stable}
    if found.issubset(state.known):
        return state
    known = sorted(found.union(state.known))
    return replace(state, known=tuple(known[: state.objectives.tuning.most_known]))


def with_logs(state: JudgeState, sample: Sample) -> JudgeState:
    """Bet, signature by signature, that it belongs to the canary."""
    if isinstance(sample.logs, NoData):
        return replace(state, logs=state.logs.after(sample.logs.reason))
    canary, stable = sample.logs.canary, sample.logs.stable
    begun = state.begun_at or sample.start
    warm = sample.end > begun + state.objectives.warm_up
    tracked = dict(state.signatures)
    for name in sorted({*canary, *stable}):
        before = tracked.get(name)
        if before is None:
            before = Signature(known=_checksum(name) in state.known)
        track = _counted(before, canary, stable, name)
        if warm:
            track = _rise(track, canary, stable, name, state)
        tracked[name] = _bet(track, canary, stable, name, (state, sample.end), late=warm)
    most = state.objectives.tuning.most_signatures
    if len(tracked) > most:
        ranked = sorted(tracked, key=lambda name: (-_interest(tracked[name]), name))
        tracked = {name: tracked[name] for name in sorted(ranked[:most])}
    return replace(state, logs=state.logs.after(None), signatures=tracked)


def candidates(state: JudgeState) -> int:
    """How many signatures might have looked new by chance: the union is over these."""
    return max(1, sum(not track.known for track in state.signatures.values()))


def chance(track: Signature, seen: int, tuning: Tuning) -> tuple[float, str]:
    """How likely, at most, any of `seen` shared signatures looks like this; and which bet says so."""
    union = seen * (seen + 1)
    enough = track.looks >= tuning.log_blocks and track.late >= tuning.log_late
    new = union * math.exp(-track.peak) if enough else 1.0
    rising = union * math.exp(-track.rising_peak)
    return (new, "signature") if new <= rising else (min(1.0, rising), "rising")


def _checksum(name: str) -> int:
    return zlib.crc32(name.encode())


def _interest(track: Signature) -> float:
    return max(track.peak, track.rising_peak) + (0.0 if track.known or track.stable else 1.0)


def _counted(track: Signature, canary: LogCounts, stable: LogCounts, name: str) -> Signature:
    mine, theirs = canary.get(name), stable.get(name)
    seen = mine or theirs
    return track._replace(
        canary=track.canary + (mine.count if mine else 0),
        stable=track.stable + (theirs.count if theirs else 0),
        example=mine.example if mine else track.example or (seen.example if seen else ""),
    )


def _bet(
    track: Signature,
    canary: LogCounts,
    stable: LogCounts,
    name: str,
    when: tuple[JudgeState, datetime],
    *,
    late: bool,
) -> Signature:
    """A look at which the canary alone logged it wins; one at which stable did loses.

    What a new process says while it boots counts, but is never enough without two later looks.
    """
    state, at = when
    tuning = state.objectives.tuning
    mine, theirs = canary.get(name), stable.get(name)
    if track.known:
        return track
    if theirs is not None:
        return track._replace(wealth=track.wealth + math.log(0.2))
    if mine is None or (track.at is not None and at - track.at < tuning.log_block):
        return track
    share = _share(state)
    step = math.log(1 + 0.8 * (1 / share - 1))
    wealth = track.wealth + min(MOST_A_LOOK, step)
    return track._replace(
        at=at,
        looks=track.looks + 1,
        late=track.late + late,
        wealth=wealth,
        peak=max(track.peak, wealth),
    )


def _rise(
    track: Signature, ours: LogCounts, theirs: LogCounts, name: str, state: JudgeState
) -> Signature:
    """The same bet as on errors, at one ratio and with the clumping of lines."""
    tuning, split = state.objectives.tuning, state.split
    canary = ours[name].count if name in ours else 0
    stable = theirs[name].count if name in theirs else 0
    if split.canary <= 0 or split.stable <= 0:
        return track
    odds = split.canary / split.stable
    null = tuning.log_margin * odds / (1 + tuning.log_margin * odds)
    theta, moment = tilt(tuning.log_rising / tuning.log_margin, CLUMPING)
    step = theta * canary - (canary + stable) / CLUMPING * math.log1p(null * moment)
    rising = max(math.log(0.05), track.rising + min(MOST_A_LOOK / 2, step))
    return track._replace(rising=rising, rising_peak=max(track.rising_peak, rising))


def _share(state: JudgeState) -> float:
    """The canary's share, at the margin, of all requests in which the signature might have shown.

    One half when nothing tells it. Stable's past counts too: a line that it has not logged in an
    hour is not one that both arms log.
    """
    tuning = state.objectives.tuning
    canary, stable = state.totals.canary.requests, state.totals.stable.requests
    if not canary or not stable:
        return 0.5
    weighted = tuning.log_margin * canary
    past = tuning.log_history * state.past.requests if state.known else 0.0
    return weighted / (weighted + stable + past)
