"""A router in memory, for a first look and for tests: it does what it is told, or fails so."""

import asyncio
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adapters.registry import Surroundings
from bot.core.plan import FULL, ZERO, Split, Weight
from bot.core.slo import Arms
from bot.ports import PortError


class MemoryRouterOptions(BaseModel):
    """The split to begin with, in percent by backend."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: Annotated[dict[str, Decimal], Field(min_length=2)] = {
        "blue": Decimal(100),
        "green": Decimal(0),
    }

    @field_validator("split")
    @classmethod
    def _adds_up(cls, split: dict[str, Decimal]) -> dict[str, Decimal]:
        total = sum(Weight.percent(str(share)).permille for share in split.values())
        if total != FULL.permille:
            raise ValueError(f"the shares add up to {total / 10:g} %, not to 100 %")
        return split


class MemoryRouter:
    """Holds a split; a test may read it, change it, and make it misbehave.

    Attributes:
        weights: the split as it stands; setting it is an outside hand.
        shifts: every shift that was asked for, oldest first, refused ones included.
        ignoring: shifts are acknowledged and not done.
        lie: what `split` answers in place of the truth; None for the truth.
        down: the text every call fails with; "" when the router is up.
        smallest, durable: what it says of itself.

    """

    Options: ClassVar[type[BaseModel]] = MemoryRouterOptions

    def __init__(
        self,
        options: MemoryRouterOptions | None = None,
        surroundings: Surroundings | None = None,  # noqa: ARG002 - the shape of every adapter
    ) -> None:
        split = (options or MemoryRouterOptions()).split
        self.weights: Split = {name: Weight.percent(str(share)) for name, share in split.items()}
        self.shifts: list[tuple[Arms[str], Weight]] = []
        self.ignoring = False
        self.lie: Split | None = None
        self.down = ""
        self.smallest = Weight(1)
        self.durable = False
        self._failures: list[str] = []
        self._open = asyncio.Event()
        self._open.set()

    def fail_next(self, times: int = 1, text: str = "the router is told to fail") -> None:
        """Let the next calls fail, reads and shifts alike."""
        self._failures.extend([text] * times)

    def hold(self) -> None:
        """Let every call wait until `release`: a router that is slow."""
        self._open.clear()

    def release(self) -> None:
        """Let the calls that wait go on."""
        self._open.set()

    async def split(self) -> Split:
        """Answer the split, or the lie."""
        await self._answer()
        return dict(self.weights if self.lie is None else self.lie)

    async def shift(self, arms: Arms[str], weight: Weight) -> None:
        """Give the canary this weight, the stable arm the rest, and all others nothing."""
        self.shifts.append((arms, weight))
        await self._answer()
        for backend in (arms.canary, arms.stable):
            if backend not in self.weights:
                raise PortError(
                    f"the router has no backend {backend!r}; known: {', '.join(self.weights)}"
                )
        if arms.canary == arms.stable:
            raise PortError(f"{arms.canary!r} cannot be both the canary and the stable arm")
        if not self.ignoring:
            rest = Weight(FULL.permille - weight.permille)
            self.weights = dict.fromkeys(self.weights, ZERO) | {
                arms.canary: weight,
                arms.stable: rest,
            }

    async def _answer(self) -> None:
        await self._open.wait()
        if self.down:
            raise PortError(self.down)
        if self._failures:
            raise PortError(self._failures.pop(0))
