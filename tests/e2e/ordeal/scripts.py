"""What happens in a rollout, drawn from a seed, and how it may end."""

import random
from dataclasses import dataclass
from typing import Final, Literal

from bot.demo.behaviour import Fault

Story = Literal["healthy", "errors", "late errors", "abort", "approval"]

WEIGHTS: Final[dict[Story, int]] = {
    "healthy": 30,
    "errors": 20,
    "late errors": 15,
    "abort": 20,
    "approval": 15,
}


@dataclass(frozen=True, slots=True)
class Script:
    """One rollout to be.

    Attributes:
        moment: when what happens in it happens, in seconds from the first traffic.
        clicks: whether people click, or type.

    """

    story: Story
    moment: float = 0.0
    clicks: bool = False

    @property
    def fault(self) -> Fault:
        """What is wrong with the revision from the start."""
        return Fault.ERRORS if self.story == "errors" else Fault.NONE

    @property
    def may_promote(self) -> bool:
        """Whether it may be promoted at all, were nobody to object in time."""
        return self.story != "errors"

    @property
    def start(self) -> str:
        """What follows service and revision in the command."""
        return " --tier risky" if self.story == "approval" else ""


def draw(dice: random.Random, window: float) -> Script:
    """The next rollout."""
    story = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    moment = dice.uniform(0.2, 0.5) * window if story == "late errors" else 0.0
    if story == "abort":
        moment = dice.uniform(-0.2, 1.2) * window
    return Script(story, moment, clicks=dice.random() < 0.5)
