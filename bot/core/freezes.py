"""What keeps services from being started: freezes, locks and the calendar, and who may anyway."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from bot.core.plan import Actor

ALL: Final = "all"
"""The scope of a freeze of everything; no service may have this name."""

Kind = Literal["freeze", "lock", "calendar"]
"""Set by a person and lifted by any; kept by one person for their own starts; configured."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing of this scope is started until it ends.

    Attributes:
        scope: a service's name, or `ALL`.
        until: when it ends by itself; None where it stands until somebody lifts it.
        kind: a lock holds everybody but `by`; what the calendar has set cannot be lifted.

    """

    scope: str
    by: Actor
    reason: str
    since: datetime
    until: datetime | None
    kind: Kind = "freeze"

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself."""
        return self.until is not None and now >= self.until

    @property
    def what(self) -> str:
        """Its scope in words."""
        return "everything" if self.scope == ALL else self.scope

    @property
    def key(self) -> str:
        """What it is kept under: a service's freeze and its lock stand side by side."""
        match self.kind:
            case "freeze":
                return self.scope
            case "lock":
                return lock_of(self.scope)
            case "calendar":
                return f"{self.by.id}:{self.scope}"

    @property
    def id(self) -> str:
        """It and no other: one that is set anew under the same key has another id."""
        return f"{self.key}@{self.since.isoformat()}"

    @property
    def done(self) -> str:
        """What has been done to its scope, in a word."""
        return "locked" if self.kind == "lock" else "frozen"

    @property
    def end(self) -> str:
        """When it ends, in words."""
        if self.until is None:
            return f"until somebody {'unlocks' if self.kind == 'lock' else 'lifts'} it"
        return f"until {self.until:%Y-%m-%d %H:%M} UTC"

    @property
    def lifted_by(self) -> str:
        """The words after `/canary` that end it; none where nothing does."""
        match self.kind:
            case "freeze" if self.scope == ALL and self.until is None:
                return "resume-the-line"
            case "freeze":
                return f"unfreeze {self.scope}"
            case "lock":
                return f"unlock {self.scope}"
            case "calendar":
                return ""

    def withstands(self, other: "Freeze") -> bool:
        """Whether it stays where the other is to take its place: somebody else's lock does."""
        mine = self.kind == "lock" and other.kind == "lock"
        return mine and not self.is_over(other.since) and not passes(self, other.by)


def lock_of(service: str) -> str:
    """What a service's lock is kept under; no service can have this name."""
    return f"lock:{service}"


@dataclass(frozen=True, slots=True)
class Override:
    """An approver's leave to start in spite of a freeze.

    Attributes:
        of: what was overridden, in words that stand after “the freeze of”.
        freezes: ids of the freezes that were; one that is set later is none of them.

    """

    by: Actor
    reason: str
    of: str
    freezes: tuple[str, ...] = ()

    def covers(self, freeze: Freeze) -> bool:
        """Whether this very freeze was overridden."""
        return freeze.id in self.freezes


def passes(freeze: Freeze, by: Actor) -> bool:
    """Whether this actor may start what is held: the holder of a lock may.

    A machine that only says it speaks for the holder may not.
    """
    if freeze.kind != "lock" or by.id != freeze.by.id:
        return False
    return by.via in {"", freeze.by.via}


def in_force(freezes: Iterable[Freeze], now: datetime) -> tuple[Freeze, ...]:
    """Those that have not ended, that of everything first, then by name."""
    held = (freeze for freeze in freezes if not freeze.is_over(now))
    return tuple(sorted(held, key=lambda one: (one.scope != ALL, one.scope, one.key, one.id)))


def holding(
    freezes: Iterable[Freeze],
    service: str,
    now: datetime,
    by: Actor | None = None,
    override: Override | None = None,
) -> tuple[Freeze, ...]:
    """Everything that keeps this service from being started, what lasts longest first.

    Args:
        freezes: all that there are.
        service: what is to be started.
        now: aware UTC.
        by: who starts it, if that is known: nobody is kept out by their own lock.
        override: by whose leave, if there is one.

    """
    held = [
        freeze
        for freeze in in_force(freezes, now)
        if freeze.scope in {ALL, service}
        and not (by is not None and passes(freeze, by))
        and not (override is not None and override.covers(freeze))
    ]
    return tuple(sorted(held, key=lambda freeze: freeze.until or _NEVER, reverse=True))


def frozen(
    freezes: Iterable[Freeze],
    service: str,
    now: datetime,
    by: Actor | None = None,
    override: Override | None = None,
) -> Freeze | None:
    """What keeps this service from being started: of several, the one that lasts longest.

    Arguments as of `holding`.
    """
    return next(iter(holding(freezes, service, now, by, override)), None)


def overriding(
    override: Override, freezes: Iterable[Freeze], service: str, now: datetime, by: Actor
) -> Override | None:
    """The override with all that it overrides now; None where nothing holds the service.

    Arguments as of `holding`.
    """
    held = holding(freezes, service, now, by)
    if not held:
        return None
    of = " and of ".join(f"{one.what} ({one.done} by {_who(one)})" for one in held)
    return replace(override, of=of, freezes=tuple(one.id for one in held))


def refusal(freeze: Freeze) -> str:
    """For a start, or the approval of one, while this holds: who, until when, why, what to do."""
    why = f": {freeze.reason}" if freeze.reason else ""
    return (
        f"Not started: {freeze.what} is {freeze.done} by {_who(freeze)} {freeze.end}{why}. "
        f"{_way(freeze)} "
        "An approver may start all the same: `/canary start … --override REASON`."
    )


def _way(freeze: Freeze) -> str:
    match freeze.kind:
        case "freeze":
            return f"To lift it: `/canary {freeze.lifted_by}`."
        case "lock":
            only = f"Only {_who(freeze)} may start it."
            return f"{only} To unlock it: `/canary {freeze.lifted_by}`."
        case "calendar":
            return "It stands in the configuration, so no command lifts it."


def _who(freeze: Freeze) -> str:
    return freeze.by.name or freeze.by.id
