"""Readiness in this process: a test or a demo sets it, the bot asks for it."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from adapters.registry import Surroundings
from bot.core.slo import Component, NoData, Readiness

ALL_WELL = (Component("service", ready=True),)


class MemoryProbeOptions(BaseModel):
    """Nothing that must be configured.

    Attributes:
        revisions: by backend, the revision it says it runs.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    revisions: dict[str, str] = {}


class MemoryProbe:
    """A `ReadinessProbe` whose answers are set; a backend that was never set is well.

    Attributes:
        answers: what is answered by backend.
        down: why nobody can be asked; empty when they can.

    """

    Options: ClassVar[type[BaseModel]] = MemoryProbeOptions

    def __init__(
        self,
        options: MemoryProbeOptions | None = None,
        surroundings: Surroundings | None = None,  # noqa: ARG002 - every adapter is given them
    ) -> None:
        revisions = options.revisions if options else {}
        self.answers = {
            name: Readiness(ALL_WELL, revision) for name, revision in revisions.items()
        }
        self.down = ""

    def say(self, backend: str, *components: Component, revision: str | None = None) -> None:
        """Let a backend answer this; without components it is well.

        The revision it said before stays unless another one is given.
        """
        before = self.answers.get(backend, Readiness(ALL_WELL)).revision
        self.answers[backend] = Readiness(components or ALL_WELL, revision or before)

    async def check(self, backend: str) -> Readiness | NoData:
        """See `ReadinessProbe.check`."""
        if self.down:
            return NoData(self.down)
        return self.answers.get(backend, Readiness(ALL_WELL))
