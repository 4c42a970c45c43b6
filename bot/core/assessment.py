"""What was found about a change before it began: its tier, why, and whether rollback is safe."""

from dataclasses import dataclass
from enum import StrEnum


class Impact(StrEnum):
    """What a statement of a migration does to a stable revision that runs on against the schema."""

    ADDITIVE = "additive"
    UNCLEAR = "unclear"
    NOT_ADDITIVE = "not_additive"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a migration, and what it means for stable.

    Attributes:
        path, line: where it stands; lines count from 1.
        text: the statement on one line, shortened.
        why: one plain sentence, for whoever has not written it.
        way_out: how the same is done in steps that can be rolled back; empty where it is additive.

    """

    path: str
    line: int
    text: str
    impact: Impact
    why: str
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a change belongs into a tier.

    Attributes:
        tier: its name.
        text: one plain sentence.
        rule: the name of the rule that fired; empty of what is no rule.

    """

    tier: str
    text: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the classifier found of a change.

    Attributes:
        tier: the highest of the reasons' tiers.
        reasons: those of the highest tier first; never empty.
        statements: of its migrations, the worst first; those that are additive are left out.
        migrations: how many migration files it has.
        seen: whether the change could be seen at all.
        summary: its size and authors in a few words.
        url: where a person can read it.

    """

    tier: str
    reasons: tuple[Reason, ...] = ()
    statements: tuple[Statement, ...] = ()
    migrations: int = 0
    seen: bool = True
    summary: str = ""
    url: str = ""

    @property
    def not_additive(self) -> tuple[Statement, ...]:
        """Statements after which stable no longer works against the schema."""
        return tuple(one for one in self.statements if one.impact is Impact.NOT_ADDITIVE)

    @property
    def unclear(self) -> tuple[Statement, ...]:
        """Statements that nobody has understood."""
        return tuple(one for one in self.statements if one.impact is Impact.UNCLEAR)

    @property
    def rollback_is_safe(self) -> bool:
        """Whether nothing is known that stable would not survive."""
        return not self.not_additive
