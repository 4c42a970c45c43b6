"""Connects the engine: what moves canaries, and what wakes and keeps it."""

import asyncio
import os
import secrets as random
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from adapters.stores.codec import encode_message, observed
from bot.bootstrap.configuration import Configuration
from bot.config.freezing import windows_of
from bot.core.events import Observed, Prepared
from bot.engine.assessing import Assessor
from bot.engine.classifying import Classifier
from bot.engine.effects import EffectRunner
from bot.engine.freezing import Freezes
from bot.engine.launching import Launcher
from bot.engine.loop import Loop
from bot.engine.orphans import EVERY, Home, Orphans
from bot.engine.ownership import Ownership
from bot.engine.service import CanaryService
from bot.engine.ticker import Ticker
from bot.observed.ports import metered_changes, metered_services
from bot.ports import CanaryStore, Clock, Pager, StatusBoard, Subscriber
from bot.ports.audit import AuditLog
from bot.ports.meters import NO_METERS, Meters

BEAT: Final = timedelta(seconds=1)
ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Letters and digits that are not taken for one another when read aloud."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine, connected: what the edges use, and what must be started and stopped."""

    service: CanaryService
    ownership: Ownership
    launcher: Launcher
    loop: Loop
    ticker: Ticker
    orphans: Orphans
    classifier: Classifier

    async def start(self) -> None:
        """Take over what was left behind, and begin to tick."""
        self.ticker.start()
        self.ticker.repeat("beat", BEAT, self.ownership.beat)
        self.ticker.repeat("sweep", BEAT, self.loop.sweep)
        self.ticker.repeat("orphans", EVERY, self.orphans.look)
        await self.ownership.beat()

    async def stop(self) -> None:
        """Finish the flips under way, and leave everything else, which is saved, to the others."""
        self.ticker.stop()
        await self.classifier.close()
        await self.service.stop()
        await self.ownership.resign()


def make_engine(
    configuration: Configuration,
    store: CanaryStore,
    board: StatusBoard,
    clock: Clock,
    *,
    owner: str,
    pager: Pager | None = None,
    share: Callable[[int], None] | None = None,
    subscribers: Mapping[str, Subscriber] | None = None,
    meters: Meters = NO_METERS,
    trail: AuditLog | None = None,
) -> Engine:
    """Connect the engine to its ports; `share` hears how many replicas share Slack's limits."""
    services, settings = metered_services(configuration.services, meters), configuration.settings
    changes = {
        name: metered_changes(source, name, meters)
        for name, source in configuration.changes.items()
    }
    ticker = Ticker(clock, meters)
    runner = EffectRunner(services, board, clock, pager, past=partial(_seen, store), meters=meters)
    loop = Loop(
        store=store,
        runner=runner,
        show=board.show,
        ticker=ticker,
        clock=clock,
        encode=encode_message,
        subscribers=subscribers,
        meters=meters,
    )
    freezes = Freezes(store, clock, windows_of(settings.freezes), trail)
    service = CanaryService(store, loop, clock, owner, freezes=freezes, meters=meters)
    # Nobody knows what a canary changes whose record is gone.
    homes = {
        name: Home(settings.plan_for_unseen(name), settings.channel_of(name)) for name in services
    }
    orphans = Orphans(
        store=store,
        runner=runner,
        service=service,
        clock=clock,
        homes=homes,
        new_canary_id=new_canary_id,
    )
    ownership = Ownership(store, service, owner, share, meters)
    classifier = Classifier()
    launcher = Launcher(
        starter=service,
        planner=settings,
        assessor=Assessor(store, runner, changes, settings.policy, clock, classifier.assess),
        clock=clock,
        new_canary_id=new_canary_id,
    )
    return Engine(service, ownership, launcher, loop, ticker, orphans, classifier)


async def _seen(store: CanaryStore, canary_id: str) -> Sequence[Prepared | Observed]:
    """What was seen of a canary; what another version of the bot wrote cannot be drawn."""
    try:
        happenings = await store.happenings(canary_id)
        return await asyncio.to_thread(observed, happenings)  # of a long day it takes a second
    except ValueError as error:
        log.warning("canary.not_drawn", canary_id=canary_id, reason=str(error))
        return ()


def new_canary_id(service: str) -> str:
    """A short name that can be read aloud: the service and six letters."""
    return f"{service}-{''.join(random.choice(ALPHABET) for _ in range(6))}"


def new_owner() -> str:
    """A name for this process that no other one has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{random.token_hex(3)}"
