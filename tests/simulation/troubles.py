"""Makes the troubles of a scenario happen."""

from typing import TYPE_CHECKING, Any

from simulation.scenario import Trouble

from bot.core.plan import Weight
from bot.core.slo import Arms

if TYPE_CHECKING:
    from simulation.rollout import Rollout


def begin(rollout: "Rollout", trouble: Trouble) -> None:
    """Let it begin; what lasts ends by itself."""
    rollout.say("world", trouble.kind, trouble)
    rollout.outside.advance(rollout.loop.time())
    replica = rollout.replicas[trouble.replica or 0]
    match trouble.kind:
        case "crash":
            rollout.crash(replica, trouble)
        case "pause":
            rollout.pause(replica, trouble)
        case "restart":
            rollout.restart(replica, trouble)
        case "crash_at_call" | "pause_at_call":
            rollout.traps.append(trouble)
        case "clock_jump":
            rollout.count(trouble.kind)
            rollout.skews[replica.index] += trouble.size
        case "store_flush":
            rollout.count(trouble.kind)
            rollout.store = rollout.a_store()
            rollout.oracle.forget()
        case "hand_up" | "hand_down" | "router_restart" | "metrics_reset":
            rollout.count(trouble.kind)
            _touch(rollout, trouble)
        case _:
            _lasting(rollout, trouble)


def _touch(rollout: "Rollout", trouble: Trouble) -> None:
    rollout.oracle.outside_touch = rollout.loop.time()
    if trouble.kind == "router_restart":
        rollout.outside.restart_router()
    elif trouble.kind == "metrics_reset":
        rollout.outside.restart_canary()
    else:
        rollout.outside.weigh(rollout.outside.idle, Weight(int(trouble.size)))


def _lasting(rollout: "Rollout", trouble: Trouble) -> None:
    rollout.active.append(trouble)
    outside = rollout.outside
    idle = outside.backends[outside.idle]
    if trouble.kind == "metrics_frozen":
        rollout.count(trouble.kind)
        frozen = outside.read(_arms(rollout))
        outside.frozen = frozen if not hasattr(frozen, "reason") else None
    elif trouble.kind == "not_ready":
        rollout.count(trouble.kind)
        idle.ready = False

    def end() -> None:
        rollout.active.remove(trouble)
        if trouble.kind == "metrics_frozen":
            outside.frozen = None
        idle.ready = True

    rollout.later(trouble.end - trouble.start, end)


def _arms(rollout: "Rollout") -> Any:
    stable = next(name for name in rollout.outside.backends if name != rollout.outside.idle)
    return Arms(rollout.outside.idle, stable)
