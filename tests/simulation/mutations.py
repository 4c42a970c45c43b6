"""Takes one safety out of the engine at a time, to see whether the oracle notices."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from adapters.stores.memory import MemoryStore
from bot.core import deciding, judge, looking, machine, moves
from bot.core.canary import Observing
from bot.core.effects import Outward
from bot.core.events import WeightApplied
from bot.core.plan import ANYONE, Gate
from bot.core.verdict import Health, Verdict
from bot.engine.effects import EffectRunner
from bot.engine.fencing import Fence
from bot.engine.held import Held
from bot.engine.loop import Loop
from bot.ports import Record

Mutation = Callable[[], AbstractContextManager[object]]


def no_fencing() -> AbstractContextManager[object]:
    """The store takes a write whatever it is based on."""
    true_save = MemoryStore.save

    async def save(self: MemoryStore, record: Record, happenings: Any) -> Record:
        row = self._rows.get(record.canary.id)
        if row is not None:
            record = replace(record, version=row.version, epoch=row.epoch, owner=row.owner)
        return await true_save(self, record, happenings)

    return patch.object(MemoryStore, "save", save)


def no_read_back() -> AbstractContextManager[object]:
    """A flip is taken for done once the router has said so."""

    async def set_weight(self: EffectRunner, canary: Any, effect: Any) -> WeightApplied:
        await self._services[canary.service].router.shift(effect.arms, effect.weight)
        return WeightApplied(self._clock.now(), effect.weight)

    return patch.object(EffectRunner, "set_weight", set_weight)


def no_restoring() -> AbstractContextManager[object]:
    """What a replica did that had no right to is left as it is, by it and by every look."""

    async def restore(self: Fence, canary_id: str) -> None:
        return

    @contextmanager
    def both() -> Iterator[None]:
        with (
            patch.object(Fence, "restore", restore),
            patch("bot.engine.orphans.stray", lambda *_: None),
        ):
            yield

    return both()


def two_live_canaries() -> AbstractContextManager[object]:
    """The store begins a canary whatever else is live."""
    true_create = MemoryStore.create

    async def create(self: MemoryStore, canary: Any, owner: str, happenings: Any) -> Record:
        self._live.pop(canary.service, None)
        return await true_create(self, canary, owner, happenings)

    return patch.object(MemoryStore, "create", create)


def words_first() -> AbstractContextManager[object]:
    """A flip waits until everything is told."""
    true_flip = Loop._flip

    def flip(self: Loop, held: Held, effect: Any) -> None:
        async def told_first() -> None:
            for intent in held.canary.intents:
                if isinstance(intent, Outward):
                    await self.runner.revision(held.canary.service, "blue")
            true_flip(self, held, effect)

        self._tasks.spawn(told_first())

    return patch.object(Loop, "_flip", flip)


def anybody_decides() -> AbstractContextManager[object]:
    """Every gate admits everyone."""
    return patch.object(deciding, "gate_of", lambda canary, question: Gate(
        (ANYONE,), canary.plan.decision.timeout))  # fmt: skip


def everybody_counts_twice() -> AbstractContextManager[object]:
    """A person's second yes is one more."""
    return patch.object(deciding, "_twice", lambda *_: "")


def promotes_on_demand() -> AbstractContextManager[object]:
    """Whoever presses Promote need not wait for evidence."""
    return patch.object(deciding, "why_not_early", lambda _canary: "")


def one_is_enough() -> AbstractContextManager[object]:
    """A gate opens at the first yes."""
    true_gate = moves.gate_of
    return patch.object(deciding, "gate_of", lambda canary, question: replace(
        true_gate(canary, question), needed=1))  # fmt: skip


def undoes_anything() -> AbstractContextManager[object]:
    """Whatever the last rollout was, it is taken back."""
    return patch("bot.engine.undoing.why_not", lambda *_: "")


def old_clicks() -> AbstractContextManager[object]:
    """An answer to a question that is no longer asked is an answer to the one that is."""
    true_transition = machine.transition

    def transition(canary: Any, message: Any) -> Any:
        if message.kind == "approve":
            message = replace(message, question=None, step=None)
        return true_transition(canary, message)

    return patch("bot.engine.loop.transition", transition)


def always_healthy() -> AbstractContextManager[object]:
    """The end of a window promotes, with evidence or without."""
    true_over = looking.window_over

    def window_over(look: Any, phase: Observing, at: Any) -> Any:
        verdict = Verdict(tuple(replace(f, health=Health.HEALTHY) for f in look.verdict.findings))
        return true_over(replace(look, verdict=verdict), phase, at)

    return patch.object(looking, "window_over", window_over)


def blind_to_breaches() -> AbstractContextManager[object]:
    """The judge's breaches are taken for health."""
    true_verdict = judge.verdict

    def verdict(state: judge.JudgeState) -> Verdict:
        found = true_verdict(state)
        return replace(found, findings=tuple(
            replace(f, health=Health.HEALTHY) if f.health is Health.BREACHED else f
            for f in found.findings))  # fmt: skip

    return patch.object(judge, "verdict", verdict)


def post_again() -> AbstractContextManager[object]:
    """A post whose answer was lost is made again without a look."""
    true_outward = EffectRunner.outward

    async def outward(self: Any, canary: Any, effect: Any, turn: Any, *more: Any) -> Any:
        return await true_outward(self, canary, effect, replace(turn, again=False), *more)

    return patch.object(EffectRunner, "outward", outward)


def forgets_intents() -> AbstractContextManager[object]:
    """What was intended is not done by who takes a canary over."""
    true_hold = Loop.hold

    def hold(self: Loop, record: Record, effects: Any) -> Held:
        return true_hold(self, record, effects if record.epoch == 1 else ())

    return patch.object(Loop, "hold", hold)


MUTATIONS: tuple[Mutation, ...] = (
    no_fencing,
    no_read_back,
    no_restoring,
    two_live_canaries,
    words_first,
    anybody_decides,
    everybody_counts_twice,
    promotes_on_demand,
    one_is_enough,
    undoes_anything,
    old_clicks,
    always_healthy,
    blind_to_breaches,
    post_again,
    forgets_intents,
)
