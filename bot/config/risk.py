"""The `risk:` section: which rules put a change into which tier."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field, field_validator, model_validator

from bot.config.tiers import Strict
from bot.config.units import Duration, unknown
from bot.core.assessment import Impact
from bot.core.risk import ASKING, DEFAULT_RULES, RISKIEST, Condition, Rule, Step
from bot.core.risk.paths import compiled
from bot.core.risk.words import singular

DEFAULT_NAMES: Final = tuple(rule.name for rule in DEFAULT_RULES)

Text = Annotated[str, Field(min_length=1, max_length=200)]
Texts = Annotated[tuple[Text, ...], Field(max_length=500)]
RuleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
TierName = Annotated[str, Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=0)]


class RuleSettings(Strict):
    """One rule; everything it asks for must be true, and of several values any will do.

    See `bot.core.risk.Condition` for each.

    Attributes:
        tier: a tier's name, or `riskiest`, or `asking` for the lowest that asks a person.
        why: the beginning of the sentence that people read; left out, the rule's name.
        but_harmless: left out, tests and documentation do not count for `words`, but do where
            only `paths` are given: what is named by a pattern is meant.

    """

    name: RuleName
    tier: TierName
    why: Annotated[str, Field(max_length=200)] = ""
    paths: Texts = ()
    but: Texts = ()
    words: Texts = ()
    but_harmless: bool | None = None
    owners: Texts = ()
    labels: Texts = ()
    authors: Texts = ()
    titles: Texts = ()
    files_over: Count | None = None
    lines_over: Count | None = None
    dependencies: tuple[Step, ...] = ()
    idle_over: Duration | None = None
    rolled_back_within: Duration | None = None
    migrations: tuple[Impact, ...] = ()
    complete: bool | None = None
    undoes: bool | None = None

    @field_validator("dependencies", "migrations", mode="before")
    @classmethod
    def _known_words(cls, value: object, info: object) -> object:
        field = getattr(info, "field_name", "")
        known = tuple(Step) if field == "dependencies" else tuple(Impact)
        for one in value if isinstance(value, list | tuple) else ():
            if one not in known:
                raise ValueError(unknown(f"value of {field}", str(one), known))
        return value

    @field_validator("paths", "but")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _readable(value)

    @field_validator("words")
    @classmethod
    def _words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in value:
            if (
                not all(word.isalnum() and singular(word) for word in phrase.split())
                or not phrase.strip()
            ):
                raise ValueError(
                    f"{phrase!r} is no word, nor several with spaces between them: write for "
                    "example billing or access token; patterns belong under paths"
                )
        return value

    @field_validator("owners")
    @classmethod
    def _owners(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for owner in value:
            if "@" not in owner:
                raise ValueError(
                    f"{owner!r} is no code owner: write @{owner}, or an e-mail address, as "
                    "CODEOWNERS does"
                )
        return value

    @model_validator(mode="after")
    def _asks_for_something(self) -> "RuleSettings":
        if self.condition.is_empty:
            raise ValueError(
                f"the rule {self.name} has no condition and would be true of every change: add "
                "paths, words, owners, labels, authors, titles, files_over, lines_over, "
                "dependencies, idle_over, rolled_back_within, migrations, complete or undoes"
            )
        return self

    @property
    def condition(self) -> Condition:
        """What it asks for."""
        given = {
            name: value
            for name, value in self
            if name not in {"name", "tier", "why", "but_harmless"}
        }
        harmless = self.but_harmless
        return Condition(
            but_harmless=bool(self.words and not self.paths) if harmless is None else harmless,
            **given,
        )

    @property
    def rule(self) -> Rule:
        """As the classifier takes it."""
        return Rule(
            self.name, self.tier, self.why or f"the rule {self.name} holds", self.condition
        )


class RiskSettings(Strict):
    """How a change's tier is found.

    Attributes:
        defaults: whether the rules that come with the bot hold.
        without: names of those that do not.
        rules: further ones; the highest tier of all that hold wins, so order only orders reasons.
        migrations: patterns of migration files that are not known as such by their paths.
        unknown: the tier of a change that cannot be seen; left out, the lowest that asks a person.

    """

    defaults: bool = True
    without: tuple[str, ...] = ()
    rules: Annotated[tuple[RuleSettings, ...], Field(max_length=200)] = ()
    migrations: Texts = ()
    unknown: TierName | None = None

    @field_validator("without")
    @classmethod
    def _default_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in DEFAULT_NAMES:
                raise ValueError(unknown("default rule", name, DEFAULT_NAMES))
        return value

    @field_validator("migrations")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _readable(value)

    @model_validator(mode="after")
    def _each_name_once(self) -> "RiskSettings":
        names = Counter(rule.name for rule in self.rules)
        for name, count in names.items():
            if count > 1:
                raise ValueError(f"{count} rules are named {name}: give each a name of its own")
            if name in self._kept():
                raise ValueError(
                    f"{name} is the name of a rule that comes with the bot: choose another name, "
                    f"or put {name} under without and write it anew"
                )
        return self

    def _kept(self) -> tuple[str, ...]:
        return tuple(name for name in DEFAULT_NAMES if self.defaults and name not in self.without)

    def compiled(self) -> tuple[Rule, ...]:
        """Every rule that holds, one's own first."""
        kept = self._kept()
        return (
            *(settings.rule for settings in self.rules),
            *(rule for rule in DEFAULT_RULES if rule.name in kept),
        )

    def unknown_tiers(self, names: Iterable[str]) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Every place (below `risk`) that names a tier there is not, and a sentence about it."""
        tiers = tuple(names)
        found: list[tuple[tuple[str | int, ...], str]] = [
            (("rules", number, "tier"), unknown("tier", rule.tier, (*tiers, RISKIEST, ASKING)))
            for number, rule in enumerate(self.rules)
            if rule.tier not in {*tiers, RISKIEST, ASKING}
        ]
        if self.unknown is not None and self.unknown not in tiers:
            found.append((("unknown",), unknown("tier", self.unknown, tiers)))
        return tuple(found)


def _readable(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            kept = [one for one in compiled((pattern,)).patterns if one.include is not None]
        except ValueError as error:
            raise ValueError(f"{pattern!r} is no pattern as in a .gitignore: {error}") from None
        if not kept:
            raise ValueError(f"{pattern!r} matches nothing: it is empty, or a comment")
        if pattern.startswith("!"):
            raise ValueError(
                f"{pattern!r}: what is to be left out belongs under but, without the !"
            )
    return patterns
