"""The order of the tiers, and the two that are there although nobody has configured them."""

from collections.abc import Mapping
from typing import Final

from bot.config.tiers import TierSettings
from bot.core.plan import ANYONE
from bot.core.risk import ASKING, RISKIEST

UNKNOWN: Final = "unknown"
"""The tier of a change that nobody can see, where the configuration names no other."""

RISKY: Final = "risky"
"""The tier added where every configured one promotes by itself."""


class MisplacedError(ValueError):
    """A tier that cannot stand as it does.

    Attributes:
        where: its place in the file, from the top.

    """

    def __init__(self, text: str, *where: str) -> None:
        super().__init__(text)
        self.where = where


def ranked(configured: Mapping[str, TierSettings], unknown: str | None) -> dict[str, TierSettings]:
    """Every tier, the safest first.

    What is not configured is added: a last tier that asks a person, where none does, and one for
    changes that cannot be seen, just below the first that asks.

    Args:
        configured: as they stand in the file.
        unknown: the tier for changes that cannot be seen, where the file names one.

    Raises:
        MisplacedError: one sentence that says what is wrong and what would be right.

    """
    tiers = dict(configured)
    for name in {ASKING, RISKIEST} & tiers.keys():
        text = f"no tier can be named {name}: rules mean a place in the order by it"
        raise MisplacedError(text, "tiers", name)
    last = next(reversed(tiers))
    if not any(tier.asks for name, tier in tiers.items() if name != UNKNOWN):
        name = RISKY if RISKY not in tiers else f"{RISKY}-asks"
        tiers[name] = _asking(tiers[last])
    asked = ""
    for name, tier in tiers.items():
        if asked and not tier.asks:
            raise MisplacedError(
                f"the tiers stand in order, the safest first, and {name}, which promotes by "
                f"itself, stands after {asked}, which asks a person: move it up, or add promote: "
                "approval and approvers to it",
                "tiers",
                name,
            )
        asked = name if tier.asks else asked
    return _with_unknown(tiers, unknown)


def asking(tiers: Mapping[str, TierSettings]) -> str:
    """The first tier that asks a person; there always is one among ranked ones."""
    return next(name for name, tier in tiers.items() if tier.asks and name != UNKNOWN)


def _with_unknown(tiers: dict[str, TierSettings], unknown: str | None) -> dict[str, TierSettings]:
    named = unknown or (UNKNOWN if UNKNOWN in tiers else None)
    if named is not None:
        if named not in tiers:
            text = f"there is no tier {named}; known: {', '.join(tiers)}"
            raise MisplacedError(text, "risk", "unknown")
        if not tiers[named].asks:
            raise MisplacedError(
                f"{named} is the tier of changes that nobody can see, and must not promote by "
                "itself: add promote: approval and approvers to it",
                "tiers",
                named,
            )
        return tiers
    first = asking(tiers)
    ordered: dict[str, TierSettings] = {}
    for name, tier in tiers.items():
        if name == first:
            ordered[UNKNOWN] = tier
        ordered[name] = tier
    return ordered


def _asking(tier: TierSettings) -> TierSettings:
    """The same, but a person is asked: anyone who is not its author."""
    return tier.model_copy(
        update={"promote": "approval", "approvers": (ANYONE,), "author_may_approve": False}
    )
