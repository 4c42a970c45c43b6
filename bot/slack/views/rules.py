"""The judge's rules in plain words, for somebody who was woken at night."""

from bot.core.verdict import Finding, Health
from bot.slack.text import clip, count
from bot.slack.views.kit import Block, strong, words
from bot.slack.views.slos import NAMES, STATES, ratio, value

LONGEST_REASON = 220

_RULES = {
    "sequential": (
        "All looks together, the canary had more of this than its share of the requests explains. "
        "The test may be looked at at any time without blaming a healthy canary more often"
    ),
    "look": (
        "At one of the looks that were planned beforehand, the canary had more of this than its "
        "share of the requests explains"
    ),
    "limit": "It is over the absolute limit, which stable keeps, and it is worse than stable",
    "signature": "The canary logs something that stable does not, too often for chance",
    "rising": "The canary logs this far more often than stable does, too often for chance",
    "outage": "It was down on the canary for longer than is allowed, while it was up on stable",
    "crash loop": "The canary restarted again and again, and stable did not",
    "non-inferior": "Surely not much worse than stable: that is what a promotion needs",
}


def ruled(finding: Finding) -> list[Block]:
    """By which rule it was decided; nothing where none decided yet."""
    said = _RULES.get(finding.rule)
    return [words(f"{said} (rule: {finding.rule}).")] if said else []


def chance_meant(finding: Finding) -> list[Block]:
    """What `at most 1 in N by chance` means; nothing where chance plays no part."""
    if finding.chance <= 0 or finding.chance >= 0.5:
        return []
    return [
        words("“"),
        strong(finding.odds),
        words(
            "” means: were this revision as healthy as stable, it would still look this bad at "
            "some moment of its window in that share of all deploys, and no more."
        ),
    ]


def other(finding: Finding) -> list[Block]:
    """What an indicator said that was not the one to decide."""
    sli = finding.sli
    said = [f"canary {value(sli, finding.canary)}, stable {value(sli, finding.stable)}"]
    if finding.ratio is not None:
        said.append(f"ratio {ratio(finding)}")
    if finding.limit:
        said.append(f"held to: {finding.limit}")
    text = "; ".join(said)
    if finding.reason and finding.health is not Health.HEALTHY:
        text = f"{text}. {_sentence(finding.reason)}"
    return [strong(f"{NAMES[sli]} "), words(f"{STATES[finding.health]}: {text}{_more(finding)}")]


def _more(finding: Finding) -> str:
    if finding.health is not Health.THIN or not finding.more:
        return ""
    return f" About {count(finding.more, 'more canary request')} would decide it."


def _sentence(reason: str) -> str:
    kept = clip(reason, LONGEST_REASON)
    return kept[:1].upper() + kept[1:] + ("" if kept.endswith((".", "…")) else ".")
