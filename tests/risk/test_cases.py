"""The cases of cases.yaml, one test each: a change, its tier, and the rules that put it there."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config.risk import RiskSettings
from bot.config.units import duration
from bot.core.change import Change, ChangedFile, Commit, Seen, Unseen
from bot.core.risk import History, Policy, Tiers, assess

TABLE: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text("utf-8"))
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
KNOWN = {
    "name", "files", "labels", "authors", "titles", "owners", "complete", "unseen", "idle",
    "rolled_back", "tier", "rules",
}  # fmt: skip


def policy() -> Policy:
    """The rules and tiers that the table names."""
    settings = RiskSettings.model_validate(TABLE.get("risk", {}))
    tiers = Tiers(tuple(TABLE["tiers"]), TABLE["asking"], TABLE["unknown"])
    return Policy(settings.compiled(), tiers, settings.migrations)


def change_of(case: dict[str, Any]) -> Seen:
    """The change that a case describes."""
    if "unseen" in case:
        return Unseen(case["unseen"])
    files = [{"path": one} if isinstance(one, str) else one for one in case.get("files", [])]
    authors, titles = case.get("authors", []), case.get("titles", [])
    commits = [Commit("c", author=author) for author in authors]
    commits += [Commit("c", title=title) for title in titles]
    return Change(
        "base",
        "head",
        tuple(ChangedFile(**file) for file in files),
        tuple(commits),
        labels=tuple(case.get("labels", [])),
        complete=case.get("complete", True),
        owners=case.get("owners", ""),
        source="git",
    )


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_the_change_is_in_its_tier_for_these_reasons(case: dict[str, Any]) -> None:
    """What is expected of a case is found, by exactly the rules it names."""
    assert set(case) <= KNOWN, f"unknown: {set(case) - KNOWN}"
    past = {
        name: NOW - duration(case[key]) if key in case else None
        for name, key in (("last_promoted_at", "idle"), ("rolled_back_at", "rolled_back"))
    }
    found = assess(change_of(case), History(NOW, **past), policy())

    told = "\n".join(f"{one.tier}: {one.text} [{one.rule}]" for one in found.reasons)
    assert found.tier == case["tier"], told
    assert {one.rule for one in found.reasons if one.rule} == set(case.get("rules", [])), told
