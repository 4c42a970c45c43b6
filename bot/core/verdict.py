"""What the judge says: of each indicator, and of the canary as a whole."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.slo import Sli


class Health(StrEnum):
    """How an indicator stands; `worst()` puts them in order."""

    HEALTHY = "healthy"
    THIN = "thin"
    BLIND = "blind"
    BREACHED = "breached"


_ORDER = tuple(Health)


def worst(*healths: Health) -> Health:
    """The one that decides: breached before blind before thin before healthy."""
    return max(healths, key=_ORDER.index, default=Health.BLIND)


@dataclass(frozen=True, slots=True)
class Finding:
    """One indicator, canary beside stable.

    Attributes:
        canary, stable: a rate (errors), seconds (latency), events (logs) or components down
            (readiness); None where nothing was seen.
        ratio: canary to stable, None where it makes no sense.
        limit: what the indicator is held to, in words.
        chance: how likely a healthy canary looks this bad or worse at any moment of the window,
            at most; 1 when nothing speaks against it.
        reason: one plain sentence.
        examples: log lines or component reasons, redacted.
        low, high: bounds of the ratio (95 %); None where there is none.
        rule: what decided: "sequential", "look", "limit", "signature", "rising", "outage",
            "crash loop", "non-inferior", or nothing.
        more: about how many more canary requests decide it; 0 when it is decided.

    """

    sli: Sli
    health: Health
    canary: float | None = None
    stable: float | None = None
    ratio: float | None = None
    limit: str = ""
    chance: float = 1.0
    reason: str = ""
    examples: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    rule: str = ""
    more: int = 0

    @property
    def odds(self) -> str:
        """How sure it is: `at most 1 in 4,000 by chance`; the chance is an upper bound."""
        if self.chance <= 0:
            return "not a matter of chance"
        if self.chance >= 0.5:
            return "may well be chance"
        one_in = 1 / self.chance
        if one_in >= 1_000_000:
            return "less than 1 in 1,000,000 by chance"
        digits = max(0, len(str(int(one_in))) - 2)
        rounded = max(2, int(one_in / 10**digits) * 10**digits)
        return f"at most 1 in {rounded:,} by chance"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings of one look; the worst decides."""

    findings: tuple[Finding, ...]
    requests: int = 0
    needed: int = 0

    @property
    def health(self) -> Health:
        """The worst of the findings; blind when there is none."""
        return worst(*(finding.health for finding in self.findings))

    @property
    def breaches(self) -> tuple[Finding, ...]:
        """What is breached, the surest first."""
        broken = [finding for finding in self.findings if finding.health is Health.BREACHED]
        return tuple(sorted(broken, key=lambda finding: finding.chance))
