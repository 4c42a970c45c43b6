"""What may be sent, field by field."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
    model_validator,
)

from bot.config.units import duration
from bot.core.change import Change, ChangedFile, Commit
from bot.core.commands import Question

LONGEST_REASON: Final = 300
MOST_FILES: Final = 3000
MOST_COMMITS: Final = 1000
MOST_LABELS: Final = 100
MOST_FIELDS: Final = 40
"""Of one object; each one that is not known makes a mistake to be told."""

Service = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Revision = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,127}$")]
Span = Annotated[
    str,
    StringConstraints(pattern=r"^(\d{1,6}(\.\d{1,3})?(ms|s|m|h|d)){1,4}$"),
    Field(examples=["20m", "90s", "1h30m"]),
]
Percent = Annotated[
    str,
    StringConstraints(pattern=r"^\d{1,3}(\.\d)?$"),
    Field(examples=["5", "0.5"], description="Of the traffic, without a percent sign."),
]
Reason = Annotated[str, StringConstraints(max_length=LONGEST_REASON, pattern=r"^[^\x00]*$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,30}$")]
Tier = Annotated[str, StringConstraints(pattern=r"^[^\x00]{1,64}$")]
Words = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Where = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(max_length=512 * 1024)]
Lines = Annotated[int, Field(ge=0, le=10_000_000)]


class Body(BaseModel):
    """A misspelt field is a mistake, and never left out silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    @model_validator(mode="before")
    @classmethod
    def _bounded(cls, sent: Any) -> Any:
        if isinstance(sent, dict) and len(sent) > MOST_FIELDS:
            raise ValueError(f"an object has at most {MOST_FIELDS} fields")
        return sent


class FileBody(Body):
    """One file between two commits; its texts matter of migrations and manifests only."""

    path: Where
    status: Literal["added", "modified", "removed", "renamed"] = "modified"
    previous_path: Where = ""
    added: Lines = 0
    removed: Lines = 0
    before: Text | None = None
    after: Text | None = None


class CommitBody(Body):
    """One commit of a change."""

    id: Words
    author: Words = ""
    title: Words = ""
    at: AwareDatetime | None = None
    undone: Annotated[bool, Field(description="Stable has it, and the new revision has not.")] = (
        False
    )


class ChangeBody(Body):
    """What is in the revision, as the pipeline sees it.

    It counts where the bot cannot look for itself; where it can, only the labels do.
    """

    base: Words
    head: Words
    files: Annotated[tuple[FileBody, ...], Field(max_length=MOST_FILES), FailFast()] = ()
    commits: Annotated[tuple[CommitBody, ...], Field(max_length=MOST_COMMITS), FailFast()] = ()
    labels: Annotated[tuple[Words, ...], Field(max_length=MOST_LABELS), FailFast()] = ()
    complete: bool = True
    owners: Annotated[Text, Field(description="The CODEOWNERS file of base.")] = ""
    url: Annotated[str, StringConstraints(pattern=r"^(https?://[^\s<>|\x00]{3,1000})?$")] = ""
    earlier: Annotated[
        tuple[FileBody, ...],
        Field(
            max_length=MOST_FILES,
            description="The migrations of the same folders at base, with their texts as `after`: "
            "of a folder all, or none. They tell which types columns had.",
        ),
        FailFast(),
    ] = ()

    def change(self) -> Change:
        """As the classifier takes it."""
        return Change(
            base=self.base,
            head=self.head,
            files=tuple(ChangedFile(**dict(file)) for file in self.files),
            commits=tuple(Commit(**dict(commit)) for commit in self.commits),
            labels=self.labels,
            complete=self.complete,
            owners=self.owners,
            url=self.url,
            source="sent along",
            earlier=tuple(ChangedFile(**dict(file)) for file in self.earlier),
        )


async def sent_along(body: ChangeBody | None) -> Change | None:
    """The change as the classifier takes it, made while others go on."""
    return await asyncio.to_thread(body.change) if body else None


class StartBody(Body):
    """What is to be started, and how it differs from what is configured."""

    service: Service
    revision: Revision
    tier: Tier | None = None
    percent: Percent | None = None
    window: Span | None = None
    reason: Reason = ""
    override: Annotated[Reason, Field(description="Why, although the service is frozen.")] = ""
    on_behalf_of: Annotated[
        UserId | None,
        Field(description="Slack id of who has asked; they do not count as approver of it."),
    ] = None
    change: ChangeBody | None = None


class ClassifyBody(Body):
    """Of what the tier is asked."""

    service: Service
    revision: Revision
    change: ChangeBody | None = None


class OrderBody(Body):
    """What goes with an order.

    `for` is how long of a pause, and how much longer of `extend`. `step` and `question` are what
    was seen by whoever promotes or approves: where it is another one by now, nothing is done, so
    that a request which is sent twice counts once.
    """

    reason: Reason = ""
    step: Annotated[int, Field(ge=1, le=100)] | None = None
    question: Question | None = None
    for_: Annotated[Span | None, Field(alias="for")] = None


class MarkBody(Body):
    """Whether a rollback was a false alarm."""

    false: bool
    reason: Reason = ""


class FreezeBody(Body):
    """What is to be frozen: a service's name, or `all`."""

    scope: Service
    until: AwareDatetime | None = None
    for_: Annotated[
        Span | None, Field(alias="for", description="Instead of until; 24h where neither is.")
    ] = None
    reason: Reason = ""


_MODELS: Final[Sequence[type[Body]]] = (
    StartBody, ClassifyBody, OrderBody, MarkBody, FreezeBody, ChangeBody, FileBody, CommitBody,
)  # fmt: skip


def fields_at(path: Sequence[Any], _context: Mapping[str, Any]) -> Sequence[str]:
    """The names that a mistyped one may have meant, by where it stands."""
    match [part for part in path if isinstance(part, str)]:
        case [*_, "files", _]:
            model: type[Body] = FileBody
        case [*_, "commits", _]:
            model = CommitBody
        case [*_, "change", _]:
            model = ChangeBody
        case _:
            names = (
                field.alias or name
                for each in _MODELS[:5]
                for name, field in each.model_fields.items()
            )
            return sorted(set(names))
    return [field.alias or name for name, field in model.model_fields.items()]


def span(text: str | None) -> timedelta | None:
    """How long that is.

    Raises:
        ValueError: longer than a year.

    """
    return None if text is None else duration(text)


def moment(at: datetime | None, after: timedelta | None, now: datetime) -> datetime | None:
    """The end that is meant."""
    if at is not None:
        return at
    return None if after is None else now + after
