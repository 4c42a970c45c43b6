"""What is wrong with how a rollout ended; an empty list when nothing is."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core.canary import Canary, Promoted, Rejected, RolledBack
from bot.demo.blocks import headline
from bot.ports import Happening
from ordeal.layout import WINDOW
from ordeal.people import Said
from ordeal.scripts import Script
from ordeal.watch import Shares

UNSEEN: Final = timedelta(seconds=6)
"""Errors that began so shortly before a promotion cannot have been seen."""

HONEST: Final = frozenset({"no_decision", "failure"})
"""Why a healthy canary may go back when faults had blinded the judge."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known at the end of a rollout.

    Attributes:
        canary: its record.
        carried: all shares that Envoy gave the canary's arm, in percent.
        errors_at: when its revision began to fail; None when it never did.
        faults: what was done to the pieces meanwhile.
        aborted: whether a person tried to abort it.

    """

    script: Script
    canary: Canary
    stream: tuple[Happening, ...]
    said: Said
    split: Shares
    carried: frozenset[int]
    errors_at: datetime | None
    faults: tuple[str, ...]
    aborted: bool


def problems(seen: Evidence) -> list[str]:
    """All that is wrong."""
    found = [*_ending(seen), *_traffic(seen), *_messages(seen), *_headline(seen)]
    return [f"{seen.canary.id} ({seen.script.story}): {each}" for each in found]


def channel_problems(said: Mapping[str, Said]) -> list[str]:
    """What is there twice, among all canaries of a channel, whoever started them."""
    found = [
        f"{name}: {len(each.roots)} messages" for name, each in said.items() if len(each.roots) > 1
    ]
    for name, each in said.items():
        numbers = Counter(number for number, _ in each.notes)
        found += [f"{name}: note {number} {n} times" for number, n in numbers.items() if n > 1]
    return found


def end_of(canary: Canary) -> str:
    """Its end in a word or two."""
    match canary.phase:
        case RolledBack(cause=cause):
            return f"rolled back: {cause.kind}"
        case phase:
            return phase.kind.replace("_", " ")


def _ending(seen: Evidence) -> list[str]:
    phase, script = seen.canary.phase, seen.script
    match phase:
        case Promoted(at=at) if at - seen.canary.created_at < timedelta(seconds=WINDOW):
            return [f"promoted after {at - seen.canary.created_at}, before its window was over"]
        case Promoted(at=at):
            if seen.errors_at is not None and at - seen.errors_at > UNSEEN:
                return [
                    f"a bad revision was promoted {at - seen.errors_at} after it began to fail"
                ]
            if any(each.kind == "abort" for each in seen.stream):
                return ["an abort was taken, and yet it was promoted"]
        case RolledBack(cause=cause):
            excused = HONEST if seen.faults else frozenset[str]()
            if cause.kind == "breach" and seen.errors_at is None:
                return [f"a healthy revision was blamed: {cause.text}"]
            if cause.kind == "abort" and not seen.aborted:
                return ["nobody aborted it, and yet it says so"]
            if cause.kind in HONEST - excused and script.story in {"healthy", "approval"}:
                return [f"undisturbed and healthy, and yet rolled back: {cause.text}"]
        case Rejected(reason=reason):
            if not seen.faults and script.story != "abort":
                return [f"undisturbed, and yet it did not start: {reason}"]
        case _:
            return [f"it has not ended: {phase.kind}"]
    return []


def _traffic(seen: Evidence) -> list[str]:
    arms, promoted = seen.canary.arms, isinstance(seen.canary.phase, Promoted)
    if 100 in seen.carried and not promoted and not seen.aborted:
        return [f"it carried 100 %, and it is {end_of(seen.canary)}"]
    if arms is None:
        return [] if 100 in seen.split.values() else [f"rejected, and Envoy carries {seen.split}"]
    wanted = 100 if promoted else 0
    if seen.split.get(arms.canary) != wanted:
        return [f"the record says {end_of(seen.canary)}, and Envoy carries {seen.split}"]
    return []


def _messages(seen: Evidence) -> list[str]:
    roots, found = seen.said.roots, []
    if len(roots) != 1:
        heads = "; ".join(headline(root) for root in roots)
        found.append(f"{len(roots)} messages in the channel instead of one: {heads}")
    stamps = {root["ts"] for root in roots}
    numbers = Counter(number for number, _ in seen.said.notes)
    found += [f"note {number} is there {n} times" for number, n in numbers.items() if n > 1]
    missing = sorted(set(range(1, seen.canary.notes + 1)) - set(numbers))
    if missing:
        found.append(f"notes {missing} of {seen.canary.notes} were never posted")
    strays = sorted({thread for _, thread in seen.said.notes} - stamps)
    if strays or len({thread for _, thread in seen.said.notes}) > 1:
        found.append(f"its notes are not all in one thread: {seen.said.notes} under {stamps}")
    return found


def _headline(seen: Evidence) -> list[str]:
    if shows_end(seen.canary, seen.said):
        return []
    heads = [headline(root) for root in seen.said.roots]
    return [f"the message shows {heads}, and it is {end_of(seen.canary)}"]


def shows_end(canary: Canary, said: Said) -> bool:
    """Whether every message about it shows how it ended."""
    words = {Promoted: "promoted", RolledBack: "rolled back", Rejected: "did not start"}
    wanted = words.get(type(canary.phase), "?")
    return bool(said.roots) and all(wanted in headline(root) for root in said.roots)
