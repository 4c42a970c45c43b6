"""Our judge behind the benchmark's interface."""

from collections.abc import Sequence

from bench.judge.protocol import ArmTick, Decision, Tick

from bot.core.judge import ArmCounters, CounterJudge


class Ours:
    """`CounterJudge` with its defaults."""

    name = "canarybot"

    def __init__(self) -> None:
        self.judge = CounterJudge()

    def prelude(self, ticks: Sequence[Tick]) -> None:
        """Stable's hour before the window."""
        for tick in ticks:
            self.judge.tick(tick.at, canary=None, stable=_counters(tick.stable))

    def tick(self, tick: Tick) -> Decision:
        """One look."""
        canary, stable = _counters(tick.canary), _counters(tick.stable)
        return self.judge.tick(tick.at, canary=canary, stable=stable).decision

    def finish(self) -> Decision:
        """The end of the window."""
        return self.judge.finish().decision


def _counters(arm: ArmTick | None) -> ArmCounters | None:
    if arm is None:
        return None
    instances = {name: ArmCounters(pod.requests, pod.errors) for name, pod in arm.pods.items()}
    return ArmCounters(
        arm.requests,
        arm.errors,
        arm.buckets,
        arm.logs,
        arm.ready,
        arm.desired,
        arm.restarts,
        instances,
    )
