"""Reads the configuration file; every error names its line and the known choices."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from bot.config.complaints import complaint
from bot.config.freezing import wrong_freezes
from bot.config.models import Settings
from bot.config.publishing import strangers
from bot.config.units import unknown

LONGEST_SAID: Final = 120
"""Letters of what stands in the file, in a sentence about it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where in the file (0 when nowhere in it), and what."""

    line: int
    where: str
    what: str


class ConfigError(Exception):
    """The configuration cannot be used; its text holds one line a problem."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__("\n".join(self._line(problem) for problem in self.problems))

    def _line(self, problem: Problem) -> str:
        place = f"{self.path}:{problem.line}" if problem.line else f"{self.path}"
        return f"{place}: {problem.where + ': ' if problem.where else ''}{problem.what}"


class _UniqueKeys(yaml.SafeLoader):
    """YAML takes the last of two equal keys silently; a second service of one name is a mistake."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, str | int | float | bool) or name in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"{name!r} stands twice here, or is no name", key.start_mark
            )
        seen.add(name)
    return dict(loader.construct_pairs(node, deep=True))


_UniqueKeys.add_constructor("tag:yaml.org,2002:map", _mapping)


class Lines:
    """Finds the line of a path such as `("services", "shop", "tier")` in a YAML text."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)

    def of(self, path: Sequence[str | int]) -> int:
        """The line of the path, or of its nearest parent; 1 for an empty file."""
        node, line = self._root, 1
        for part in path:
            step = _child(node, part)
            if step is None:
                break
            node, line = step
        return line


def _child(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value, value.start_mark.line + 1
    return None


def load(path: Path) -> tuple[Settings, Lines]:
    """Read and check the file; the lines are for errors found later, in adapters' options.

    Raises:
        ConfigError: it cannot be read, is no YAML, or says something impossible.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        what = "there is no such file. `canary init` writes a first one, --config names another"
        raise ConfigError(path, [Problem(0, "", what)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, [Problem(0, "", f"it cannot be read: {error}")]) from error
    try:
        data = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader that refuses doubles
        lines = Lines(text)
    except yaml.YAMLError as error:
        raise ConfigError(path, [_yaml_problem(error)]) from error
    if not isinstance(data, dict):
        what = "the file is empty or no mapping; it needs at least slack and services"
        raise ConfigError(path, [Problem(1, "", what)])
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise ConfigError(path, problems_of(error, lines)) from error
    problems = [*_impossible_plans(settings, lines), *_impossible_names(settings, lines)]
    if problems:
        raise ConfigError(path, problems)
    return settings, lines


def _impossible_plans(settings: Settings, lines: Lines) -> list[Problem]:
    """Services whose tier is unknown, or whose tier makes no plan."""
    problems = []
    for name in settings.services:
        where = ("services", name, "tier")
        try:
            settings.plan_for(name)
        except ValueError as error:
            problems.append(Problem(lines.of(where), ".".join(where), str(error)))
    return problems


def _impossible_names(settings: Settings, lines: Lines) -> list[Problem]:
    """Services and tiers that are named somewhere, and that there are not."""
    risk = settings.risk.unknown_tiers(settings.tier_names())
    found = [
        *strangers(settings.services, settings.webhooks, settings.github, settings.gitlab),
        *wrong_freezes(settings.freezes, settings.services),
        *((("risk", *place), what) for place, what in risk),
    ]
    return [Problem(lines.of(path), ".".join(map(str, path)), what) for path, what in found]


def problems_of(
    error: ValidationError,
    lines: Lines,
    prefix: Sequence[str | int] = (),
    known: Sequence[str] = (),
) -> list[Problem]:
    """Pydantic's findings as ours; `known` are the names that a mistyped one may have meant."""
    problems = []
    for found in error.errors():
        within = getattr(found.get("ctx", {}).get("error"), "where", ())
        path = (*prefix, *found["loc"], *within)
        where = ".".join(str(part) for part in path if part != "[key]")
        problems.append(Problem(lines.of(path), where, _what(found, known)))
    return problems


def _what(found: Any, known: Sequence[str]) -> str:
    name = str(found["loc"][-1]) if found["loc"] else ""
    match found["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return unknown("setting", name, known or _siblings(found["loc"]))
        case "value_error":
            return str(found["ctx"]["error"])
        case "string_pattern_mismatch":
            return f"{found['input']!r} does not look right: {_shape(found['loc'])}"
        case _:
            return f"{complaint(found) or found['msg']} (it says {shortened(found['input'])})"


def shortened(said: Any) -> str:
    """What stands there, as far as it helps to find it."""
    text = repr(said)
    return text if len(text) <= LONGEST_SAID else f"{text[:LONGEST_SAID]}…"


def _shape(path: Sequence[str | int]) -> str:
    if "channel" in path:
        return (
            "a Slack channel's id such as C0DEPLOYS (in Slack: the channel's details, at the end)"
        )
    if "approvers" in path:
        return (
            "a Slack user id (U…), a user group id (S…), a channel id (C…), token:NAME, or anyone"
        )
    return "small letters, digits, dots and dashes, beginning with a letter or digit"


def _siblings(path: Sequence[str | int]) -> tuple[str, ...]:
    """The settings that are known where an unknown one stands."""
    from bot.config import api, freezing, models, publishing, risk, tiers

    match list(path[:-1]):
        case []:
            model: type[Any] = models.Settings
        case ["slack"]:
            model = models.SlackSettings
        case ["tiers", _]:
            model = tiers.TierSettings
        case ["tiers", _, "steps", _]:
            model = tiers.StepSettings
        case ["services", _]:
            model = models.ServiceSettings
        case ["api"]:
            model = api.ApiSettings
        case ["freezes", _]:
            model = freezing.FreezeSettings
        case ["webhooks", _]:
            model = publishing.WebhookSettings
        case ["github" | "gitlab"]:
            model = publishing.GithubSettings
        case ["github" | "gitlab", "deployments", _]:
            model = publishing.DeploymentSettings
        case ["services", _, "slos"]:
            model = models.SloSettings
        case ["risk"]:
            model = risk.RiskSettings
        case ["risk", "rules", _]:
            model = risk.RuleSettings
        case _:
            return ()
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _yaml_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    return Problem(mark.line + 1 if mark else 0, "", f"not readable as YAML: {what}")
