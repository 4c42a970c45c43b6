"""What the form that starts a canary holds, and how a view carries it from one drawing to the next."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from bot.core.assessment import Assessment
from bot.core.canary import Canary
from bot.core.freezes import Freeze
from bot.slack.text import clean, clip

FORM: Final = "canary_start"
"""The callback id of the form and of what becomes of it."""

BACK: Final = "canary_start_back"
USE: Final = "canary_start_use"
MOST_OPTIONS: Final = 100
MOST_OFFERED: Final = 3
LONGEST_OPTION: Final = 75
LONGEST: Final = {"revision": 200, "percent": 12, "window": 20, "reason": 300}
"""What may be typed; all of it has to fit into the 3,000 characters a view can carry."""

PREFIX: Final = "canary_start_"
"""Of the ids of all that can be chosen, typed or pressed in the form."""

FIELDS: Final = ("service", "revision", "tier", "percent", "window", "reason")
DISPATCHED: Final = ("service", "revision", "tier", "percent", "window")
"""A change of these changes what will happen."""


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the fields, as typed."""

    service: str
    revision: str = ""
    tier: str = ""
    percent: str = ""
    window: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it is drawn; the view carries it, so any replica can go on with it.

    Attributes:
        tier, percent, window: what the plan says where nobody has chosen anything else.
        drawn: how often each field was given another value than the typed one; part of its
            block's id, since Slack keeps what was typed under the same id.
        channel: where the person was, for telling them something once the form is closed.

    """

    form: Form
    tier: str = ""
    percent: str = ""
    window: str = ""
    drawn: tuple[tuple[str, int], ...] = ()
    channel: str = ""

    def block_id(self, field: str) -> str:
        """Of a field."""
        return f"{field}.{dict(self.drawn).get(field, 0)}"

    def filled(self, field: str, value: str) -> "Draft":
        """The same with another value in a field, whatever stands there now."""
        drawn = dict(self.drawn)
        drawn[field] = drawn.get(field, 0) + 1
        form = replace(self.form, **{field: value})
        return replace(self, form=form, drawn=tuple(sorted(drawn.items())))

    def dump(self) -> str:
        """As a view's private metadata."""
        form = {field: _kept(field, str(getattr(self.form, field))) for field in FIELDS}
        return json.dumps(
            asdict(self) | {"form": form, "tier": _kept("tier", self.tier)}, ensure_ascii=False
        )

    @classmethod
    def read(cls, metadata: str) -> "Draft":
        """From a view's private metadata.

        Raises:
            ValueError: it is none of ours.

        """
        try:
            kept = json.loads(metadata)
            form = Form(**{field: str(kept["form"][field]) for field in FIELDS})
            drawn = tuple((str(field), int(times)) for field, times in kept["drawn"])
            rest = {key: str(kept[key]) for key in ("tier", "percent", "window", "channel")}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("the form does not carry what it was drawn from") from error
        return cls(form, drawn=drawn, **rest)


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen.

    Attributes:
        tiers: every tier, the safest first.
        channel: where the service's canaries are announced.

    """

    services: Sequence[str]
    tiers: Sequence[str] = ()
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands in the way of a service's start, or helps it.

    Attributes:
        link: to the live canary's message.
        revisions: what its idle backends run.
        assessment: what was found of the revision that is typed; None while that is not known.
        trouble: why not all of it could be looked up.

    """

    live: Canary | None = None
    link: str = ""
    freeze: Freeze | None = None
    revisions: tuple[str, ...] = ()
    assessment: Assessment | None = None
    trouble: str = ""


def action_id(field: str) -> str:
    """Of a field's element."""
    return f"{PREFIX}{field}"


def choosable(names: Sequence[str]) -> list[str]:
    """Those that Slack takes as the value of an option, and that a view carries unchanged."""
    return [each for each in names if 0 < len(each) <= LONGEST_OPTION and clean(each) == each]


def _kept(field: str, value: str) -> str:
    lines = [clean(line) for line in value.splitlines()]
    return clip("\n".join(lines).strip(), LONGEST.get(field, LONGEST_OPTION))
