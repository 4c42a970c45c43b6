"""The shape of a tier: how careful a class of changes is treated, and who decides about it."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.config.units import Duration, Percent
from bot.core.plan import ANYONE, Gate, Weight

Approver = Annotated[
    str, Field(pattern=r"^([CGUSW][A-Z0-9]{2,}|token:[a-z0-9][a-z0-9._-]{0,62}|anyone)$")
]


class Strict(BaseModel):
    """A misspelt setting is a mistake, and a plan never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StepSettings(Strict):
    """One weight and how long it is held."""

    percent: Percent
    window: Duration


class TierSettings(Strict):
    """How careful a class of changes is treated.

    Attributes:
        percent, window: the canary's one step; `steps` instead for several.
        start, promote: `auto`, or `approval` by one of the approvers.
        approvers: ids of Slack users (U…), user groups (S…) or channels (C…), a pipeline's token
            by name (`token:NAME`), or `anyone`, which means people.
        approvals: how many different people have to say yes.
        author_may_approve: whether whoever started the canary is one of them.
        decision: how long a person may think; silence then rolls back.
        extension: how much longer the window gets while there is too little evidence.

    """

    percent: Percent = Weight.percent(5)
    window: Duration = timedelta(minutes=20)
    steps: tuple[StepSettings, ...] = ()
    start: Literal["auto", "approval"] = "auto"
    promote: Literal["auto", "approval"] = "auto"
    approvers: tuple[Approver, ...] = ()
    approvals: Annotated[int, Field(ge=1, le=10)] = 1
    author_may_approve: bool = False
    decision: Duration = timedelta(minutes=30)
    extension: Duration = timedelta(minutes=20)
    prepare: Duration = timedelta(minutes=2)
    pause: Duration = timedelta(hours=2)

    @model_validator(mode="after")
    def _somebody_may_approve(self) -> "TierSettings":
        if "approval" in {self.start, self.promote} and not self.approvers:
            raise ValueError(
                "approval is asked for, but nobody may give it: name approvers (user ids U…, user "
                "group ids S…, channel ids C…, or anyone)"
            )
        people = set(self.approvers)
        single = all(one[0] in "UW" or one.startswith("token:") for one in people)
        if single and 0 < len(people) < self.approvals:
            raise ValueError(
                f"{self.approvals} approvals are asked for, but only {len(people)} "
                f"{'person is' if len(people) == 1 else 'people are'} named: name more approvers, "
                "or ask for fewer approvals"
            )
        if single and len(people) == self.approvals > 1 and not self.author_may_approve:
            raise ValueError(
                f"{self.approvals} approvals are asked for and {len(people)} people are named, so "
                "what one of them starts can never be approved: name more approvers, ask for fewer "
                "approvals, or set author_may_approve: true"
            )
        return self

    @property
    def asks(self) -> bool:
        """Whether a person decides before it goes to 100 %."""
        return self.promote == "approval"

    @property
    def gate(self) -> Gate:
        """Who decides; whoever is in the channel, and alone, where nobody is named."""
        if not self.approvers:
            return Gate((ANYONE,), self.decision)
        return Gate(self.approvers, self.decision, self.approvals, self.author_may_approve)
