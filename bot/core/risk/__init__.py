"""Which tier a change belongs into, and why: rules over what is known of it, and no guesses.

    assessment = classify(change, history, DEFAULT_RULES, Tiers(("safe", "risky"), "risky", "risky"))
    assessment.tier                        # the highest tier of every rule that fired
    assessment.reasons                     # a sentence each, the highest tier's first

What a source needs to read for it is told by `wanted`. No text of a change makes anything here
raise, and nothing of it is executed.
"""

from bot.core.risk.classifying import assess, classify, wanted
from bot.core.risk.defaults import DEFAULT_RULES, touched
from bot.core.risk.dependencies import Bump, bumps
from bot.core.risk.rules import ASKING, RISKIEST, Condition, History, Policy, Rule, Step, Tiers

__all__ = [
    "ASKING",
    "DEFAULT_RULES",
    "RISKIEST",
    "Bump",
    "Condition",
    "History",
    "Policy",
    "Rule",
    "Step",
    "Tiers",
    "assess",
    "bumps",
    "classify",
    "touched",
    "wanted",
]
