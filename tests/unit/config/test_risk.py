"""The `risk:` section, and what it says about mistakes."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.config.risk import DEFAULT_NAMES, RiskSettings
from bot.core.assessment import Impact
from bot.core.risk import DEFAULT_RULES, Step


def rule(**more: Any) -> dict[str, Any]:
    """A rule with these settings."""
    return {"name": "mine", "tier": "asking", **more}


def test_unconfigured_the_default_rules_hold() -> None:
    """All of them, each with a name of its own."""
    assert RiskSettings().compiled() == DEFAULT_RULES
    assert len(set(DEFAULT_NAMES)) == len(DEFAULT_NAMES)


def test_default_rules_are_switched_off_by_name_or_all() -> None:
    """What is one's own stays, and stands first."""
    own = rule(paths=["a/"], idle_over="3d", dependencies=["major"], migrations=["unclear"])
    some = RiskSettings.model_validate({"without": ["long-idle"], "rules": [own]}).compiled()
    none = RiskSettings.model_validate({"defaults": False, "rules": [own]}).compiled()

    assert [one.name for one in some] == ["mine", *(n for n in DEFAULT_NAMES if n != "long-idle")]
    assert [one.name for one in none] == ["mine"]
    assert none[0].when.idle_over == timedelta(days=3)
    assert none[0].when.dependencies == (Step.MAJOR,)
    assert none[0].when.migrations == (Impact.UNCLEAR,)


def test_a_default_rule_can_be_written_anew() -> None:
    """Once the one that comes with the bot is left out."""
    own = rule(name="billing", words=["ledger"])
    found = RiskSettings.model_validate({"without": ["billing"], "rules": [own]}).compiled()

    assert [one.name for one in found].count("billing") == 1
    assert found[0].when.but_harmless


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"without": ["biling"]}, "Did you mean billing?"),
        ({"rules": [rule()]}, "has no condition"),
        ({"rules": [rule(paths=["!a"])]}, "belongs under but"),
        ({"rules": [rule(paths=["# a"])]}, "matches nothing"),
        ({"rules": [rule(words=["src/*"])]}, "patterns belong under paths"),
        ({"rules": [rule(owners=["acme"])]}, "write @acme"),
        ({"rules": [rule(dependencies=["mayor"])]}, "Did you mean major?"),
        ({"rules": [rule(migrations=["additiv"])]}, "Did you mean additive?"),
        ({"rules": [rule(labels=["x"]), rule(labels=["y"])]}, "2 rules are named mine"),
        ({"rules": [rule(name="billing", labels=["x"])]}, "comes with the bot"),
        ({"rules": [rule(files_over=-1)]}, "greater than or equal to 0"),
        ({"migrations": ["!x"]}, "belongs under but"),
    ],
)
def test_a_mistake_is_said_in_words(section: dict[str, Any], sentence: str) -> None:
    """With what would be right."""
    with pytest.raises(ValidationError) as error:
        RiskSettings.model_validate(section)

    assert sentence in str(error.value)


def test_tiers_that_are_not_there_are_told_with_their_place() -> None:
    """Symbols are known; the file's own tiers come from elsewhere in it."""
    own = [rule(labels=["x"]), rule(name="b", tier="saef", labels=["x"])]
    settings = RiskSettings.model_validate({"rules": own, "unknown": "nobody"})
    found = settings.unknown_tiers(("safe", "risky"))

    assert [place for place, _ in found] == [("rules", 1, "tier"), ("unknown",)]
    assert "Did you mean safe?" in found[0][1]
