"""People: what they are shown, what they press, and what they hear."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simulation.scenario import BOSS, DEPUTY, Click
from simulation.timing import SkewedClock
from simulation.virtual import Process

from bot.core.canary import AwaitingDecision, Canary, PendingApproval
from bot.core.commands import (
    Abort,
    Approve,
    Command,
    Extend,
    Pause,
    Promote,
    Resume,
    Start,
)
from bot.core.freezes import Freeze
from bot.core.machine import Refused
from bot.core.plan import Actor
from bot.core.undoing import UndoRequest
from bot.ports import PortError

if TYPE_CHECKING:
    from simulation.rollout import Replica, Rollout

MOST_TRIES = 12
"""Clicks after which nobody tries once more to start."""


class People:
    """Everybody who presses something.

    Attributes:
        clicked: all clicks so far; a click is known by its place among them.
        answers: what was heard of them; `pressed` holds those that nobody has answered yet.

    """

    def __init__(self, rollout: "Rollout") -> None:
        self.rollout = rollout
        self.clicked: list[Click] = []
        self.answers: dict[int, object] = {}
        self.pressed: dict[int, Process] = {}

    def are_asked(self, canary: Canary) -> None:
        """Somebody who may decide is asked, and answers what they saw."""
        chosen, phase = self.rollout.scenario, canary.phase
        if chosen.answers is None or not isinstance(phase, PendingApproval | AwaitingDecision):
            return
        step = phase.step if isinstance(phase, AwaitingDecision) else None
        question = phase.question if isinstance(phase, AwaitingDecision) else "start"
        for who in (BOSS, DEPUTY)[: 2 if chosen.plan.decision.needed > 1 else 1]:
            on = self.rollout.rng.randrange(chosen.replicas)
            click = Click(0, chosen.answer, who, on, question, step)
            for echo in range(chosen.echo):
                self.rollout.later(
                    chosen.answers + echo * 0.05,
                    lambda click=click: self.click(click, canary.id),  # type: ignore[misc] # bound now
                )

    def click(self, click: Click, canary_id: str = "") -> None:
        replica = self.rollout.replicas[click.replica]
        number = len(self.clicked)
        by = Actor(click.by.id, f"{click.by.name}#{number}", click.by.groups)
        self.clicked.append(click)
        self.rollout.count(f"click {click.what}")
        self.rollout.say(by.name, click.what, (replica.process.name, click.question, click.step))
        last = next(reversed(self.rollout.oracle.truth), "shop-unknown")
        work = self._press(replica, click, number, by, canary_id or last)
        if replica.process.dead:
            work.close()  # nobody is there to hear it
        else:
            self.pressed[number] = replica.process
            self.rollout.loop.create_task(work, context=replica.process.context)

    async def _press(
        self, replica: "Replica", click: Click, number: int, by: Actor, canary_id: str
    ) -> None:
        service, at = replica.engine.service, SkewedClock(self.rollout, replica.index).now()
        before = self.rollout.oracle.truth.get(canary_id)
        answer: object
        try:
            if click.what == "start":
                answer = await service.start(self._a_start(number, by, at))
            elif click.what == "undo":
                answer = await service.undo(
                    UndoRequest(f"shop-undo{number}", self.rollout.service, by)
                )
            elif click.what == "freeze":
                answer = await service.freeze(
                    Freeze(self.rollout.service, by, "", at, at + timedelta(seconds=12))
                )
            elif click.what == "unfreeze":
                answer = await service.unfreeze(self.rollout.service, by)
            else:
                answer = await service.command(canary_id, _command(click, by, at))
        except PortError as error:
            answer = error
            if click.what == "start" and len(self.clicked) < 12:
                again = replace(
                    click, replica=self.rollout.rng.randrange(len(self.rollout.replicas))
                )
                self.rollout.later(2.0, lambda: self.click(again))
        except Exception as error:  # noqa: BLE001 - nobody may ever see it
            answer = error
            self.rollout.oracle.say(f"{click.what} #{number} failed: {error!r}")
        self.answers[number] = answer
        del self.pressed[number]
        if isinstance(answer, Refused):
            self.rollout.oracle.refused(
                number, before, self.rollout.oracle.truth.get(canary_id), answer.reason
            )
        kind = type(answer).__name__
        self.rollout.count(f"{click.what} {kind.lower()}")
        self.rollout.say(by.name, f"hears {kind}", getattr(answer, "reason", ""))

    def _a_start(self, number: int, by: Actor, at: Any) -> Start:
        plan = self.rollout.scenario.plan
        revision = self.rollout.outside.backends[self.rollout.outside.idle].revision
        return Start(f"shop-{number}", self.rollout.service, revision, plan, "C0DEPLOYS", by, at)


def _command(click: Click, by: Actor, at: Any) -> Command:
    match click.what:
        case "approve":
            return Approve(by, at, click.question, click.step)
        case "abort":
            return Abort(by, at)
        case "pause":
            return Pause(by, at)
        case "promote":
            return Promote(by, at, click.step)
        case "extend":
            return Extend(by, at, timedelta(seconds=3))
        case _:
            return Resume(by, at)
