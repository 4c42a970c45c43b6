"""Knows the truth, and says at every step whether what may never happen has happened."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from simulation.scenario import BOSS, DEPUTY
from simulation.virtual import Process
from simulation.wire import at_once

from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Observing,
    Paused,
    PendingApproval,
    Preparing,
    Promoted,
    Promoting,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.core.effects import Note, Topic
from bot.core.plan import ZERO, Split, Weight
from bot.core.reading import Reading
from bot.core.slo import Arms, NoData
from bot.ports import Happening, Record

if TYPE_CHECKING:
    from simulation.rollout import Rollout

CLICKS = frozenset({"approve", "pause", "resume", "abort", "promote", "extend"})
MAY = frozenset({BOSS.id, DEPUTY.id})
CLICK = re.compile(r'"name":"\w+#(\d+)"')
ENOUGH_ERRORS = 60
"""Failed requests beside none of stable's that no judge may overlook."""


class Oracle:
    """Everything that was asked, written, read and told in one rollout, and what was wrong in it."""

    def __init__(self, rollout: "Rollout") -> None:
        self.rollout = rollout
        self.wrong: list[str] = []
        self.truth: dict[str, Canary] = {}
        self.forgotten = False
        self.targets: set[Weight] = {ZERO}
        self.takes: Counter[int] = Counter()
        self.promoted_at: dict[str, float] = {}
        self.ended_at: dict[str, float] = {}
        self.outside_touch = 0.0
        self.landed_at = float("-inf")
        self.evidence = 0
        self._last_requests: int | None = None
        self._bad: dict[str, tuple[int, int]] = {}
        self._asked: dict[str, Weight] = {}
        self._reads: dict[str, set[tuple[str, Weight]]] = {}
        self._asked_for: dict[str, str] = {}
        self._rolling: set[tuple[str, str]] = set()
        self._owed: dict[str, tuple[Process, float]] = {}

    def say(self, text: str) -> None:
        """Something happened that may never happen."""
        self.wrong.append(f"at {self.rollout.loop.time():.3f}: {text}")
        self.rollout.say("ORACLE", "violation", text)

    def step(self) -> None:
        """After every turn: whoever has decided to roll back has asked for the flip by now."""
        now = self.rollout.loop.time()
        for name, (process, since) in tuple(self._owed.items()):
            if process.dead:
                del self._owed[name]
            elif process.stopped:
                self._owed[name] = (process, now)
            elif now > since:
                del self._owed[name]
                self.say(f"{name} decided a rollback at {since:.3f} and went on to something else")

    # What replicas ask of the router.

    def flip_asked(self, process: Process, arms: Arms[str], weight: Weight) -> None:
        """A replica asks for a weight: never more than the plan, nothing up after a rollback."""
        name, canary = process.name, self.current()
        if weight != self._asked.get(name):
            self._reads[name] = set()
        self._asked[name] = weight
        self._asked_for[name] = canary.id if canary is not None else ""
        if weight == ZERO:
            self._owed.pop(name, None)
            return
        if canary is None:
            return
        row = self.rollout.store._rows[canary.id]
        if row.owner == name and weight > canary.target:
            self.say(
                f"{name} asks for {weight}, {canary.id} is {canary.phase.kind} at {canary.target}"
            )
        if not self.forgotten and weight not in self.targets:
            self.say(f"{name} asks for {weight}, which no record ever had")

    def read_back(self, process: Process, split: Split) -> None:
        """A replica was told the router's split."""
        self._reads.setdefault(process.name, set()).update(split.items())

    def metrics_read(self, process: Process, answer: Reading | NoData) -> None:
        """A replica was told the counters."""
        if isinstance(answer, NoData) or isinstance(answer.canary, NoData):
            return
        counters = answer.canary["c"]
        if self._last_requests is not None:
            self.evidence += max(0, counters.requests - self._last_requests)
        self._last_requests = counters.requests
        if counters.errors:
            _, looks = self._bad.get(process.name, (0, 0))
            self._bad[process.name] = (counters.errors, looks + 1)

    # What replicas write.

    def write(self, process: Process, name: str, args: tuple[Any, ...], method: Any) -> Any:
        """Let the store take it, and look at what it took."""
        rows = self.rollout.store._rows
        canary: Canary = args[0] if name == "create" else args[0].canary
        row = rows.get(canary.id)
        epoch, owner = (row.epoch, row.owner) if row else (0, "")
        answer = at_once(method(*args))
        if name == "save":
            record: Record = args[0]
            if record.epoch != epoch or owner != process.name:
                self.say(f"{process.name} wrote {canary.id} with epoch {record.epoch}, "
                         f"it is {owner}'s in epoch {epoch}")  # fmt: skip
            self._moved(process, self.truth.get(canary.id), canary, args[1])
        self.truth[canary.id] = canary
        self.targets.add(canary.target)
        self.rollout.say(process.name, f"wrote {canary.id}", canary.phase.kind)
        self.rollout.count(f"phase {canary.phase.kind}")
        live = [each for each in rows if not self.truth[each].is_ended]
        if len(live) > 1:
            self.say(f"the service has {len(live)} live canaries: {', '.join(live)}")
        return answer

    def saved(self, process: Process, record: Record) -> None:
        """The store's answer reached the replica: a rollback decided is a flip asked, at once."""
        key = (process.name, record.canary.id)
        if not isinstance(record.canary.phase, RollingBack) or key in self._rolling:
            return
        self._rolling.add(key)
        asked = self._asked.get(process.name) == ZERO
        if not asked or self._asked_for.get(process.name) != record.canary.id:
            self._owed[process.name] = (process, self.rollout.loop.time())

    def _moved(
        self, process: Process, before: Canary | None, after: Canary, why: tuple[Happening, ...]
    ) -> None:
        if before is None:
            return
        old, new, name = before.phase, after.phase, process.name
        if before.is_ended and type(old) is not type(new):
            self.say(f"{name} moved {after.id} from {old.kind} to {new.kind}")
        if isinstance(old, RollingBack) and not isinstance(new, RollingBack | RolledBack):
            self.say(f"{name} took back the rollback of {after.id}: it is {new.kind}")
        if type(old) is not type(new):
            self._set_is_done(name, old, after)
            if isinstance(new, Promoting):
                self.promoted_at[after.id] = self.rollout.loop.time()
                self._has_evidence(name, before, after)
            if after.is_ended:
                self.ended_at[after.id] = self.rollout.loop.time()
        if len(why) == 1:
            self._gate(name, before, after, why[0])
        for happening in why:
            if happening.kind in CLICKS:
                self._clicked(before, happening, alone=len(why) == 1)

    def _gate(self, name: str, before: Canary, after: Canary, last: Happening) -> None:
        """A gate opens for as many different people as it wants, and for nothing else."""
        if "store_lost" in self.rollout.scenario.kinds or type(before.phase) is type(after.phase):
            return
        why, needed, raised = (
            last.kind, before.plan.decision.needed, isinstance(after.phase, Shifting | Promoting)
        )  # fmt: skip
        if isinstance(before.phase, PendingApproval | AwaitingDecision):
            said = {approval.by.id for approval in before.phase.approvals}
            opened = raised or isinstance(after.phase, Preparing)
            if found := CLICK.search(last.data):
                said.add(self.rollout.people.clicked[int(found[1])].by.id)
            if opened and (why not in {"approve", "promote"} or len(said) < needed):
                self.say(f"{name} opened a gate of {needed} for {why} after {sorted(said)}")
            self.rollout.count(f"gate of {needed} opened" if opened else "gate closed")
        elif raised and why == "promote":
            last_step = getattr(before.phase, "step", 0) + 1 == len(before.plan.steps)
            asked = before.plan.promote_gate is not None and last_step
            if (needed > 1 and asked) or before.drift:
                self.say(f"{name} took one person's promotion of {needed}, {before.drift}")

    def _set_is_done(self, name: str, old: object, after: Canary) -> None:
        """Set is not done: a flip is done when the router was read back."""
        if after.arms is None:
            return
        done = (isinstance(old, Shifting) and isinstance(after.phase, Observing)) or isinstance(
            after.phase, Promoted | RolledBack
        )
        if done and (after.arms.canary, after.target) not in self._reads.get(name, set()):
            self.say(f"{name} wrote {after.phase.kind}, and never read {after.target} back")

    def _has_evidence(self, name: str, before: Canary, after: Canary) -> None:
        assert isinstance(after.phase, Promoting)
        asked = isinstance(before.phase, AwaitingDecision) and before.phase.question != "promote"
        if asked:
            return
        if self.evidence < after.plan.objectives.min_requests:
            self.say(f"{name} promotes {after.id} on {self.evidence} requests seen")
        errors, looks = self._bad.get(name, (0, 0))
        alone = after.phase.by is None or isinstance(before.phase, Observing | Paused)
        if alone and errors >= ENOUGH_ERRORS and looks >= 3:
            self.say(f"{name} promotes {after.id} though it was told of {errors} errors")

    def _clicked(self, before: Canary, happening: Happening, *, alone: bool) -> None:
        found = CLICK.search(happening.data)
        if found is None:
            return
        number = int(found[1])
        click = self.rollout.people.clicked[number]
        self.takes[number] += 1
        phase = before.phase
        if self.takes[number] > 1:
            self.rollout.count("happening written twice")
            return
        if happening.kind != "approve" or not alone:
            return
        if "store_lost" in self.rollout.scenario.kinds:
            return  # the record may hold a click whose answer was lost, and that is written over
        asks = isinstance(phase, PendingApproval | AwaitingDecision)
        question = getattr(phase, "question", "start")
        step = getattr(phase, "step", None)
        if not asks or click.question not in {None, question}:
            self.say(f"approval #{number} of {click.question} was taken while {phase.kind}")
        elif click.by.id not in MAY or _is_author(before, click.by.id):
            self.say(f"approval #{number} by {click.by.id} was taken, who may not")
        elif click.step not in {None, step} and not isinstance(phase, PendingApproval):
            self.say(f"approval #{number} of step {click.step} was taken at step {step}")

    def refused(
        self, number: int, before: Canary | None, after: Canary | None, reason: str
    ) -> None:
        """A click was refused: not one that was in its place all the time."""
        click, rollout = self.rollout.people.clicked[number], self.rollout
        if before is None or after is None or self.forgotten or click.what not in CLICKS:
            return
        if any(kind.startswith("store") for kind in rollout.scenario.kinds):
            return  # who decided while the store was away is right, and the record is behind
        if "took this canary from each other" in reason:
            rollout.count("refused in a scramble")
            return
        phase = after.phase
        match click.what:
            case "abort":
                fits = not (after.is_ended or isinstance(phase, RollingBack))
            case "approve":
                question = getattr(phase, "question", "start")
                fits = (
                    isinstance(phase, PendingApproval | AwaitingDecision)
                    and click.by.id in MAY
                    and not _is_author(after, click.by.id)
                    and click.by.id not in {approval.by.id for approval in phase.approvals}
                    and not (isinstance(phase, PendingApproval) and rollout.counts["click freeze"])
                    and click.question in {None, question}
                    and click.step in {None, getattr(phase, "step", None)}
                    and not (question == "promote" and "the router carries" in reason)
                )
            case "pause":
                fits = isinstance(phase, Observing)
            case "extend":
                fits = isinstance(phase, Observing | Paused)
            case "resume":
                fits = isinstance(phase, Paused)
            case _:
                fits = False  # only the judge knows whether it was proven
        stayed = getattr(before.phase, "since", None) == getattr(phase, "since", None)
        if fits and stayed and type(before.phase) is type(phase):
            self.say(f"{click.what} #{number} was refused while {phase.kind}: {reason}")

    # What people see.

    def told(self, canary: Canary, note: Note) -> None:
        """A note reaches the thread: once, and after those before it."""
        channel = self.rollout.outside.channel
        thread = channel.notes.get(canary.id, [])
        if thread and thread[-1].number >= note.number:
            self.say(f"note {note.number} of {canary.id} comes after {thread[-1].number}")
        if canary.id not in channel.threads and not canary.undoes:
            self.say(f"note {note.number} of {canary.id} has no thread to go to")
        channel.tell(canary, note)
        if note.topic is Topic.DECISION_NEEDED:
            self.rollout.people.are_asked(canary)

    def found_told(self, canary: Canary, note: Note) -> None:
        """A note was found in the thread: it must be the same one."""
        for same in self.rollout.outside.channel.notes[canary.id]:
            if same.number == note.number and same.topic != note.topic:
                self.say(f"note {note.number} ({note.topic}) of {canary.id} is never told: "
                         f"{same.topic} has its number")  # fmt: skip

    def shown(self, process: Process, canary: Canary) -> None:
        """The message is brought up to date."""
        self.rollout.count("shown")

    # The end.

    def current(self) -> Canary | None:
        """The live canary, or the last one."""
        rows = self.rollout.store._rows
        live = self.rollout.store._live
        ids = list(live.values()) or list(rows)[-1:]
        return self.truth[ids[0]] if ids else None

    def forget(self) -> None:
        """The store came back empty."""
        self.forgotten = True
        self.truth.clear()


def _is_author(canary: Canary, user_id: str) -> bool:
    """Whether another one is wanted than this person."""
    return not canary.plan.decision.author and canary.started_by.id == user_id
