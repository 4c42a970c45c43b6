"""The invariants of the design, held against every order of messages Hypothesis can think of."""

from dataclasses import replace
from datetime import datetime, timedelta

from builders import NOON
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.core import judge
from bot.core.canary import (
    AwaitingDecision,
    Canary,
    Ended,
    Exposed,
    Observing,
    Paused,
    PendingApproval,
    Preparing,
    Promoted,
    Promoting,
    Rejected,
    RolledBack,
    RollingBack,
    Shifting,
)
from bot.core.commands import (
    Abort,
    Approve,
    Command,
    Extend,
    MarkAlarm,
    Pause,
    Promote,
    Question,
    Resume,
    Start,
)
from bot.core.effects import (
    Effect,
    GatherEvidence,
    Milestone,
    Observe,
    OpenThread,
    Page,
    Prepare,
    Publish,
    SetWeight,
    ShowEnd,
    ShowPicture,
    Tell,
    Topic,
)
from bot.core.events import (
    EndShown,
    Event,
    EvidenceGathered,
    Observed,
    Paged,
    PictureShown,
    Prepared,
    Published,
    ShiftFailed,
    ThreadOpened,
    Ticked,
    Told,
    WeightApplied,
)
from bot.core.machine import Refused, Transition, begin, transition
from bot.core.plan import FULL, ZERO, Actor, Gate, Plan, Step, Weight
from bot.core.reading import Counters, Reading
from bot.core.slo import Arms, Component, NoData, Objectives, Readiness
from bot.core.verdict import Health

ADA = Actor("U0ADA0001", "ada")
GRACE = Actor("U0GRACE01", "grace", ("S0APPROVE",))
LIN = Actor("U0LIN0001", "lin", ("S0APPROVE",))
GATES = (
    Gate(("S0APPROVE",), timedelta(minutes=5)),
    Gate(("S0APPROVE", ADA.id), timedelta(minutes=5), needed=2, author=False),
)
TICK = timedelta(seconds=10)
LOOKS = st.sampled_from(["good", "good", "good", "good", "thin", "blind", "bad"])


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of one to three steps, with and without gates."""
    weights = sorted(draw(st.sets(st.sampled_from([5, 10, 25, 50]), min_size=1, max_size=3)))
    gate = draw(st.sampled_from(GATES))
    windows = st.sampled_from([timedelta(seconds=30), timedelta(minutes=2)])
    return Plan(
        tier="any",
        steps=tuple(Step(Weight.percent(weight), draw(windows)) for weight in weights),
        tick=TICK,
        objectives=Objectives(min_requests=50, warm_up=timedelta(0)),
        decision=gate,
        start_gate=draw(st.sampled_from([None, gate])),
        promote_gate=draw(st.sampled_from([None, gate])),
        extension=draw(st.sampled_from([timedelta(0), timedelta(minutes=1)])),
        prepare_timeout=timedelta(seconds=20),
        pause=timedelta(minutes=1),
        subscribers=draw(st.sampled_from([(), ("webhook:ci", "github")])),
        lowered_from=draw(st.sampled_from(["", "risky"])),
    )


def counters(requests: int, errors: int) -> Counters:
    """Every request took less than 100 ms."""
    return Counters(requests, errors, ((0.1, requests),), requests)


class Rollout(RuleBasedStateMachine):
    """One canary, a router with a mind of its own, and people who click what they like."""

    @initialize(plan=plans())
    def start(self, plan: Plan) -> None:
        self.now = NOON
        self.router = ZERO
        self.counters = Arms(Counters(0, 0), Counters(0, 0))
        self.reached: list[int | None] = []
        self.breached = False
        self.pending: list[Effect] = []
        self.published: dict[str, list[Publish]] = {}
        move = begin(Start("shop-abc123", "shop", "v2", plan, "C0DEPLOYS", ADA, NOON))
        self.canary: Canary = move.canary
        self.pending.extend(move.effects)
        self.check_news(move)

    def send(self, message: Command | Event) -> None:
        """Feed one message and check everything that must hold of any move."""
        before = self.canary
        move = transition(before, message)
        if isinstance(move, Refused):
            assert move.reason
            assert isinstance(message, Command), "events are never refused"
            return
        note(f"{message.kind}: {before.phase.kind} -> {move.canary.phase.kind}")
        self.check(before, message, move)
        self.canary = move.canary
        self.pending.extend(move.effects)

    def check(self, before: Canary, message: Command | Event, move: Transition) -> None:
        after = move.canary
        if isinstance(before.phase, Ended):
            assert after.phase == before.phase, "the end is the end"
            assert not any(isinstance(effect, SetWeight | Observe) for effect in move.effects)
        flips = [effect for effect in move.effects if isinstance(effect, SetWeight)]
        assert len(flips) <= 1
        for flip in flips:
            assert move.effects[0] == flip, "what moves traffic comes first"
            assert flip in after.intents, "it is intended before it is done"
            assert flip.weight <= after.target, "never more than the plan"
        if self.breached:
            assert all(flip.weight == ZERO for flip in flips), "after a breach it never rises"
        started_back = isinstance(after.phase, RollingBack) and not isinstance(
            before.phase, RollingBack
        )
        if started_back:
            self.breached = True
            assert flips, "the flip is the first thing of a rollback"
            assert flips[0].weight == ZERO
            assert after.intents[0] == flips[0], "and the first thing after a crash"
        if isinstance(after.phase, Promoting) and not isinstance(before.phase, Promoting):
            healthy = judge.verdict(after.judge).health is Health.HEALTHY
            opened = self.opened(before, message)
            assert healthy or opened, "nothing is promoted for lack of evidence"
            if after.plan.promote_gate is not None:
                assert opened, "a gate opens for enough approvers only"
        self.check_people(before, message, move)
        self.check_news(move)
        if isinstance(after.phase, Promoted) and before.phase != after.phase:
            assert isinstance(message, WeightApplied)
            assert message.weight == FULL
        if isinstance(after.phase, RolledBack) and before.phase != after.phase:
            assert isinstance(message, WeightApplied)
            assert message.weight == ZERO

    def check_news(self, move: Transition) -> None:
        """Every subscriber is told of the same, once, in order, and of the end last."""
        for effect in move.effects:
            if isinstance(effect, Publish):
                assert effect in move.canary.intents, "a restart must not lose it"
                told = self.published.setdefault(effect.subscriber, [])
                assert [one.number for one in told] == [*range(1, effect.number)]
                assert not told or told[-1].milestone not in {
                    Milestone.PROMOTED,
                    Milestone.ROLLED_BACK,
                    Milestone.REJECTED,
                }
                told.append(effect)
        kinds = {tuple(one.milestone for one in told) for told in self.published.values()}
        assert len(kinds) <= 1
        if move.canary.is_ended and move.canary.plan.subscribers:
            assert self.published["github"][-1].milestone == move.canary.phase.kind

    def opened(self, before: Canary, message: Command | Event) -> bool:
        """Whether enough different people who may have said yes by now."""
        said = {approval.by for approval in getattr(before.phase, "approvals", ())}
        if isinstance(message, Approve | Promote):
            said.add(message.by)
        assert said <= {GRACE, LIN}, "nobody else counts"
        return len(said) >= before.plan.decision.needed

    def check_people(self, before: Canary, message: Command | Event, move: Transition) -> None:
        old, new, flips = before.phase, move.canary.phase, SetWeight in map(type, move.effects)
        if isinstance(old, AwaitingDecision) and isinstance(new, Shifting | Promoting):
            assert self.opened(before, message), "silence and time raise nothing"
        if isinstance(old, PendingApproval) and isinstance(new, Preparing):
            assert self.opened(before, message)
        if isinstance(message, Promote) and isinstance(old, Observing | Paused):
            assert judge.verdict(before.judge).health is Health.HEALTHY
            assert not before.drift
        if isinstance(new, Shifting) and isinstance(old, Exposed) and type(old) is not Shifting:
            assert old.step + 1 == new.step, "no step is skipped"
        if isinstance(message, Extend | Pause | Resume):
            assert not flips, "time moves no traffic"
            assert before.asked == move.canary.asked
        for effect in move.effects:
            if isinstance(effect, Tell) and effect.note.topic in {Topic.STARTED, Topic.STEP}:
                self.reached.append(effect.note.step)
                assert self.reached == [*range(len(self.reached))], "each step is told once"
                first = effect.note.topic is Topic.STARTED
                assert first == (effect.note.step == 0)

    @rule(seconds=st.sampled_from([0, 1, 5, 10, 30, 400]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.send(Ticked(self.now))

    @rule(data=st.data(), how=st.sampled_from(["well", "badly", "unheard", "twice"]))
    @precondition(lambda self: self.pending)
    def something_is_done(self, data: st.DataObject, how: str) -> None:
        """An effect is carried out: well, not at all, without its answer being heard, or twice."""
        effect = data.draw(st.sampled_from(self.pending), label="effect")
        self.pending.remove(effect)
        match effect:
            case SetWeight(weight=weight):
                if how != "badly":
                    self.router = weight
                if how in {"well", "twice"}:
                    self.send(WeightApplied(self.now, weight))
                if how == "twice":
                    self.send(WeightApplied(self.now, weight))
                if how in {"badly", "unheard"}:
                    self.send(ShiftFailed(self.now, weight, "the router did not answer"))
            case Prepare():
                self.send(Prepared(self.now, *self.world(ready=how != "badly")))
            case Observe(since=since):
                self.look(since, data.draw(LOOKS))
            case OpenThread() if how != "badly":
                self.send(ThreadOpened(self.now, "C0DEPLOYS", "1.2"))
            case Tell(note=told) if how != "badly":
                self.send(Told(self.now, told.number))
            case GatherEvidence() if how != "badly":
                self.send(EvidenceGathered(self.now, ("DataError: no",)))
            case ShowEnd() if how != "badly":
                self.send(EndShown(self.now))
            case Page() if how != "badly":
                self.send(Paged(self.now))
            case ShowPicture() if how != "badly":
                self.send(PictureShown(self.now))
            case Publish(subscriber=subscriber, number=number) if how != "badly":
                self.send(Published(self.now, subscriber, number))
            case (
                OpenThread()
                | Tell()
                | GatherEvidence()
                | ShowEnd()
                | Page()
                | ShowPicture()
                | Publish()
            ):
                self.pending.append(effect)

    def world(self, *, ready: bool) -> tuple[dict[str, Weight], dict[str, Readiness | NoData]]:
        split = {"blue": FULL, "green": ZERO}
        components = (Component("db", ready, "" if ready else "migrating"),)
        green = Readiness(components, "v2")
        return split, {"blue": Readiness((Component("db", True),), "v1"), "green": green}

    def look(self, since: datetime, how: str) -> None:
        assert self.canary.last_look_at is not None
        canary, stable = self.counters.canary, self.counters.stable
        traffic = {"good": (60, 0), "bad": (60, 40), "thin": (0, 0), "blind": (0, 0)}[how]
        self.counters = Arms(
            counters(canary.requests + traffic[0], canary.errors + traffic[1]),
            counters(stable.requests + 1000, stable.errors + 2),
        )
        metrics: Reading | NoData = Reading(
            self.now, {"a": self.counters.canary}, {"b": self.counters.stable}
        )
        fine = Readiness((Component("db", True),))
        self.send(
            Observed(
                self.now,
                since,
                NoData("scrape failed") if how == "blind" else metrics,
                Arms({}, {}),
                Arms(fine, fine),
                {"green": self.router, "blue": Weight(1000 - self.router.permille)},
            )
        )

    @rule(looks=st.lists(LOOKS, min_size=1, max_size=16))
    def a_while_without_trouble(self, looks: list[str]) -> None:
        """Ticks pass and everything that is to be done is done; the looks may still be bad."""
        for look in looks:
            self.now += TICK
            self.send(Ticked(self.now))
            todo, self.pending = self.pending, []
            for effect in todo:
                match effect:
                    case SetWeight(weight=weight):
                        self.router = weight
                        self.send(WeightApplied(self.now, weight))
                    case Prepare():
                        self.send(Prepared(self.now, *self.world(ready=True)))
                    case Observe(since=since):
                        self.look(since, look)
                    case OpenThread():
                        self.send(ThreadOpened(self.now, "C0DEPLOYS", "1.2"))
                    case Tell(note=told):
                        self.send(Told(self.now, told.number))
                    case GatherEvidence():
                        self.send(EvidenceGathered(self.now, ()))
                    case ShowEnd():
                        self.send(EndShown(self.now))
                    case Page():
                        self.send(Paged(self.now))
                    case ShowPicture():
                        self.send(PictureShown(self.now))
                    case Publish(subscriber=subscriber, number=number):
                        self.send(Published(self.now, subscriber, number))

    @rule(false=st.booleans())
    def somebody_marks_it(self, false: bool) -> None:
        """Whether it was a false alarm is only asked of a breach, and moves nothing."""
        before = self.canary
        answer = transition(before, MarkAlarm(ADA, self.now, false))
        phase = before.phase
        if isinstance(phase, RolledBack) and phase.cause.kind == "breach":
            again = before.mark is not None and before.mark.false == false
            assert isinstance(answer, Refused) == again
        else:
            assert isinstance(answer, Refused)
        if isinstance(answer, Transition):
            assert not answer.effects
            assert answer.canary.intents == before.intents
        self.send(MarkAlarm(ADA, self.now, false))

    @rule(permille=st.sampled_from([0, 30, 200, 1000]))
    def an_outside_hand(self, permille: int) -> None:
        self.router = Weight(permille)

    @rule(reason=st.sampled_from(["", "looks bad"]), dice=st.integers(0, 7))
    def somebody_aborts(self, reason: str, dice: int) -> None:
        """Now and then only, or no canary would live long enough to meet anything else."""
        if dice != 7:
            return
        before = self.canary
        self.send(Abort(ADA, self.now, reason))
        if not isinstance(before.phase, Ended | RollingBack):
            assert isinstance(self.canary.phase, RollingBack | Rejected)
            assert self.canary.asked == ZERO

    @rule(
        question=st.sampled_from([None, "start", "promote", "thin", "blind"]),
        who=st.sampled_from([GRACE, LIN]),
    )
    def an_approver_clicks(self, question: Question | None, who: Actor) -> None:
        phase = self.canary.phase
        asked = "start" if isinstance(phase, PendingApproval) else getattr(phase, "question", None)
        twice = any(approval.by == who for approval in getattr(phase, "approvals", ()))
        fits = asked is not None and question in {None, asked} and not twice
        answer = transition(self.canary, Approve(who, self.now, question))
        assert isinstance(answer, Refused) != fits
        self.send(Approve(who, self.now, question))
        again = transition(self.canary, Approve(who, self.now, question))
        if question is not None and question == asked:
            assert isinstance(again, Refused), "one decision a click, one click a person"

    @rule(who=st.sampled_from([ADA, GRACE, LIN]), step=st.sampled_from([None, 0, 1]))
    def somebody_promotes(self, who: Actor, step: int | None) -> None:
        phase = self.canary.phase
        answer = transition(self.canary, Promote(who, self.now, step))
        if isinstance(phase, Observing | Paused | AwaitingDecision):
            fits = who is not ADA and step in {None, phase.step}
        else:
            fits = False
        assert fits or isinstance(answer, Refused)
        self.send(Promote(who, self.now, step))

    @rule(minutes=st.sampled_from([-5, 1, 30]))
    def somebody_extends(self, minutes: int) -> None:
        before = self.canary.phase
        self.send(Extend(ADA, self.now, timedelta(minutes=minutes)))
        after = self.canary.phase
        if isinstance(before, AwaitingDecision) and after != before:
            assert isinstance(after, Observing)
            assert after.until == self.now + timedelta(minutes=minutes)
        if isinstance(before, Observing) and isinstance(after, Observing):
            assert after.until >= before.until

    @rule()
    def somebody_else_clicks(self) -> None:
        assert isinstance(transition(self.canary, Approve(ADA, self.now)), Refused)

    @rule(command=st.sampled_from([Pause, Resume]))
    def somebody_holds_or_goes_on(self, command: type[Pause | Resume]) -> None:
        self.send(command(ADA, self.now))

    @rule()
    def the_bot_restarts(self) -> None:
        """Everything in flight is gone; what was intended is done anew."""
        self.pending = list(self.canary.intents)

    @invariant()
    def a_live_canary_is_woken_or_has_something_under_way(self) -> None:
        if not hasattr(self, "canary") or self.canary.is_ended:
            return
        phase = self.canary.phase
        assert self.canary.wake_at is not None or any(
            isinstance(intent, Prepare | SetWeight) for intent in self.canary.intents
        ), phase

    @invariant()
    def a_waiting_canary_was_asked_to_carry_nothing(self) -> None:
        if hasattr(self, "canary") and isinstance(self.canary.phase, PendingApproval | Preparing):
            assert self.canary.asked == ZERO

    @invariant()
    def a_breach_in_any_exposed_phase_goes_back(self) -> None:
        """Waiting for an approval included: a canary whose errors soar is on its way back."""
        if not hasattr(self, "canary") or not isinstance(self.canary.phase, Exposed):
            return
        canary = self.canary
        assert canary.last_look_at is not None
        start = Reading(
            canary.last_look_at + timedelta(seconds=1),
            {"x": Counters(0, 0)},
            {"y": Counters(0, 0)},
        )
        fine = Readiness(())
        for index in range(12):
            bad = counters(500 * index, 400 * index)
            at = start.at + TICK * index
            assert canary.last_look_at is not None
            move = transition(
                canary,
                Observed(
                    at,
                    canary.last_look_at,
                    replace(
                        start,
                        at=max(at, _after(canary)),
                        canary={"x": bad},
                        stable={"y": counters(5000 * index, 0)},
                    ),
                    Arms({}, {}),
                    Arms(fine, fine),
                    NoData("not asked"),
                ),
            )
            assert isinstance(move, Transition)
            canary = move.canary
            if isinstance(canary.phase, RollingBack):
                assert isinstance(move.effects[0], SetWeight)
                return
            if isinstance(canary.phase, AwaitingDecision | Promoting):
                continue
        assert isinstance(canary.phase, RollingBack), canary.phase


def _after(canary: Canary) -> datetime:
    assert canary.last_look_at is not None
    return canary.last_look_at + timedelta(seconds=1)


TestRollout = Rollout.TestCase
