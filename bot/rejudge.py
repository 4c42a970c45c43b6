"""`canary replay`: reads a canary's stream from the store and judges it again."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from adapters.stores.codec import observed
from adapters.stores.redis import RedisStore
from bot.bootstrap import redis_url
from bot.config import Secrets, load
from bot.config.judging import given
from bot.config.models import SloSettings
from bot.config.units import unknown
from bot.core.canary import Canary
from bot.core.events import Observed, Prepared
from bot.core.replay import Replay, replay
from bot.core.slo import Objectives
from bot.ports import CanaryStore

INNER: Final = "judge."
_OUTER: Final = tuple(name for name in SloSettings.model_fields if name != "judge")


@dataclass(frozen=True, slots=True)
class Again:
    """A canary, how it was judged then, and how it would be judged with these settings."""

    canary: Canary
    then: Replay
    now: Replay
    objectives: Objectives


async def judge_again(
    path: Path, secrets: Secrets, canary_id: str, changes: dict[str, str]
) -> Again:
    """Judge a stored canary again.

    Args:
        path: the configuration, for the store's address.
        secrets: may hold that address instead.
        canary_id: as `/canary list` shows it.
        changes: settings of `slos:` by name, as they are written there; `judge.floor` for those
            of `slos: judge:`.

    Raises:
        ConfigError: the configuration cannot be used.
        PortError: the store cannot be reached.
        ValueError: there is no such canary, nothing was read of it, or a setting is unknown.

    """
    settings, _ = load(path)
    store = RedisStore(redis_url(settings, secrets))
    try:
        canary, seen = await _stored(store, canary_id)
    finally:
        await store.aclose()
    own = canary.plan.objectives
    objectives = changed(own, changes)
    return Again(canary, replay(own, seen), replay(objectives, seen), objectives)


async def _stored(store: CanaryStore, canary_id: str) -> tuple[Canary, list[Prepared | Observed]]:
    record = await store.load(canary_id)
    if record is None:
        recent = [canary.id for canary in await store.recent(None, 200)]
        raise ValueError(unknown("canary", canary_id, recent))
    seen = observed(await store.happenings(canary_id))
    if not any(isinstance(message, Observed) for message in seen):
        raise ValueError(f"nothing was read of {canary_id}: it carried no traffic")
    return record.canary, seen


def changed(objectives: Objectives, changes: dict[str, str]) -> Objectives:
    """The objectives with some settings changed.

    Raises:
        ValueError: a setting is unknown, or its value impossible; with what would be right.

    """
    inner = {name.removeprefix(INNER): text for name, text in changes.items() if INNER in name}
    outer = {name: text for name, text in changes.items() if INNER not in name}
    own: dict[str, Any] = {name: getattr(objectives, name) for name in _OUTER}
    for name in outer:
        if name not in _OUTER:
            raise ValueError(unknown("setting", name, _OUTER))
    try:
        found = SloSettings.model_validate(outer)
    except ValidationError as error:
        problems = [f"{found['loc'][0]}: {found['msg']}" for found in error.errors()]
        raise ValueError("; ".join(problems)) from None
    own |= {name: getattr(found, name) for name in outer}
    weighed = replace(objectives.tuning, **given(inner))
    return Objectives(objectives.watched, tuning=weighed, **own)
