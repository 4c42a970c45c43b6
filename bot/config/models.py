"""The shape of the configuration, and the plans it makes."""

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bot.config.api import ApiSettings
from bot.config.freezing import FreezeSettings
from bot.config.judging import JudgeSettings
from bot.config.listening import DEFAULT_LISTEN, listen_address
from bot.config.publishing import GithubSettings, GitlabSettings, WebhookSettings, subscribers_of
from bot.config.ranking import UNKNOWN, asking, ranked
from bot.config.risk import RiskSettings
from bot.config.secrets import Mode
from bot.config.tiers import StepSettings, Strict, TierSettings
from bot.config.units import Duration, Fraction, Percent, duration, unknown, weight, written
from bot.core.assessment import Assessment
from bot.core.freezes import ALL
from bot.core.plan import Dashboard, Escalation, Gate, Plan, Step, Weight
from bot.core.risk import Policy, Tiers
from bot.core.slo import Objectives, Sli
from bot.core.tuning import Tuning

MOST_PERCENT: Final = Weight.percent(50)
"""More than half of the users is no canary."""

LONGEST_WINDOW: Final = timedelta(hours=24)
"""A mistyped window must not leave users on a canary for weeks."""

Mentioned = Annotated[str, Field(pattern=r"^[USW][A-Z0-9]{2,}$")]
DashboardUrl = Annotated[str, Field(pattern=r"^https?://[^\s<>|]{3,2000}$")]
Channel = Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{2,}$")]
ServiceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class SloSettings(Strict):
    """What the canary is held to; see `bot.core.slo.Objectives` for each.

    `judge` holds how evidence is weighed, which nobody should need: `bot.core.tuning.Tuning`.
    """

    alpha: Annotated[float, Field(gt=0, le=0.2)] | None = None
    error_margin: Annotated[float, Field(ge=1, le=10)] | None = None
    error_limit: Fraction | None = None
    latency_margin: Annotated[float, Field(ge=1, le=10)] | None = None
    p95_limit: Duration | None = None
    p99_limit: Duration | None = None
    min_requests: Annotated[int, Field(ge=1)] | None = None
    ready_patience: Duration | None = None
    warm_up: Duration | None = None
    blind_after: Annotated[int, Field(ge=1, le=100)] | None = None
    judge: JudgeSettings = Tuning()

    def objectives(self, watched: tuple[Sli, ...]) -> Objectives:
        """With the defaults for what is not set."""
        given = {name: value for name, value in self if value is not None and name != "judge"}
        return Objectives(watched=watched, tuning=self.judge, **given)


class AdapterSettings(BaseModel):
    """Which adapter, and its own options beside it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the adapter's name; the adapter knows what they mean."""
        return dict(self.model_extra or {})


class ServiceSettings(Strict):
    """One service: its tier, where it is talked about, and how it is reached and seen.

    Attributes:
        oncall: mentioned when its canary was rolled back, a user's or user group's id; wins over
            `escalation.oncall`.
        dashboards: what a breach links to: addresses by their names. `{service}`, `{revision}`,
            `{from}` and `{to}` (milliseconds) in them are filled in.

    """

    tier: str
    channel: Channel | None = None
    percent: Percent | None = None
    window: Duration | None = None
    oncall: Mentioned | None = None
    dashboards: dict[str, DashboardUrl] = Field(default_factory=dict, max_length=5)
    slos: SloSettings = SloSettings()
    traffic: AdapterSettings
    metrics: AdapterSettings | None = None
    logs: AdapterSettings | None = None
    readiness: AdapterSettings | None = None
    changes: AdapterSettings | None = None

    @property
    def watched(self) -> tuple[Sli, ...]:
        """The indicators that have a source."""
        found: list[Sli] = []
        found += [Sli.ERRORS, Sli.P95, Sli.P99] if self.metrics else []
        found += [Sli.READINESS] if self.readiness else []
        found += [Sli.LOGS] if self.logs else []
        return tuple(found)

    @model_validator(mode="after")
    def _something_is_seen(self) -> "ServiceSettings":
        if self.metrics is None:
            raise ValueError(
                "a canary cannot be judged without its requests: name a metrics adapter"
            )
        return self


class EscalationSettings(Strict):
    """Who is called while a rollback is not confirmed; see `bot.core.plan.Escalation`.

    The webhook's address stands in the environment, CANARY_WEBHOOK_URL.
    """

    after: Duration = timedelta(seconds=30)
    oncall: Mentioned | None = None

    @property
    def escalation(self) -> Escalation:
        """As the canary keeps it."""
        return Escalation(self.after, self.oncall or "")


class SlackSettings(Strict):
    """Where canaries are announced unless their service says otherwise, and how clicks arrive.

    Attributes:
        mode: `socket`, the bot connects to Slack; `http`, Slack calls the bot at `listen`.
        listen: host:port, in HTTP mode only; 127.0.0.1:3000 unless told otherwise.

    """

    channel: Channel
    mode: Mode = "socket"
    listen: str | None = None

    @model_validator(mode="after")
    def _listens_in_http_mode_only(self) -> "SlackSettings":
        if self.listen is not None and self.mode != "http":
            raise ValueError("listen is for HTTP mode only: add mode: http, or take listen out")
        listen_address(self.listen or DEFAULT_LISTEN)
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen at in HTTP mode."""
        return listen_address(self.listen or DEFAULT_LISTEN)


class Settings(Strict):
    """The whole file."""

    redis: str = "redis://127.0.0.1:6379/0"
    slack: SlackSettings
    tick: Duration = timedelta(seconds=10)
    escalation: EscalationSettings = EscalationSettings()
    risk: RiskSettings = RiskSettings()
    tiers: dict[str, TierSettings] = Field(
        default_factory=lambda: {"safe": TierSettings()}, min_length=1
    )
    services: dict[ServiceName, ServiceSettings] = Field(min_length=1)
    freezes: tuple[FreezeSettings, ...] = ()
    api: ApiSettings | None = None
    webhooks: dict[ServiceName, WebhookSettings] = Field(default_factory=dict)
    github: GithubSettings | None = None
    gitlab: GitlabSettings | None = None

    @field_validator("redis")
    @classmethod
    def _no_password(cls, value: str) -> str:
        login = "@" in value and ":" in value.split("//", 1)[-1].split("@", 1)[0]
        if login or "sentinel_password=" in value:
            raise ValueError(
                "a password does not belong into this file: set CANARY_REDIS_URL instead"
            )
        return value

    @field_validator("tick")
    @classmethod
    def _tick_in_reach(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(minutes=5):
            raise ValueError("a tick lies between 1s and 5m")
        return value

    @model_validator(mode="after")
    def _tiers_in_order(self) -> "Settings":
        assert self.policy.tiers.asking
        return self

    @field_validator("services")
    @classmethod
    def _all_is_everything(cls, value: dict[str, ServiceSettings]) -> dict[str, ServiceSettings]:
        if ALL in value:
            raise ValueError(f"no service can be named {ALL}: that word means all of them")
        return value

    def service_names(self) -> tuple[str, ...]:
        """Every service, by name."""
        return tuple(sorted(self.services))

    @cached_property
    def ranking(self) -> dict[str, TierSettings]:
        """Every tier, the safest first, with those that are added to what is configured."""
        return ranked(self.tiers, self.risk.unknown)

    def tier_names(self) -> tuple[str, ...]:
        """Every tier, the safest first."""
        return tuple(self.ranking)

    def plan_for_unseen(self, service: str) -> Plan:
        """The plan of a canary of which nobody knows what it changes."""
        own, unseen = self.services[service].tier, self.policy.tiers.unknown
        return self.plan_for(service, tier=max(own, unseen, key=self._rank))

    def keepers(self, service: str) -> Gate:  # noqa: ARG002 - a service may come to have its own
        """Who may lower a tier, or override a freeze: the approvers of the riskiest tier."""
        return self.ranking[self.tier_names()[-1]].gate

    @property
    def policy(self) -> Policy:
        """The rules and tiers by which changes are classified."""
        unseen = self.risk.unknown or UNKNOWN
        tiers = Tiers(self.tier_names(), asking(self.ranking), unseen)
        return Policy(self.risk.compiled(), tiers, self.risk.migrations)

    def channel_of(self, service: str) -> str:
        """Where this service's canaries are announced."""
        return self.services[service].channel or self.slack.channel

    def plan_for(
        self,
        service: str,
        *,
        tier: str | None = None,
        percent: str | None = None,
        window: str | None = None,
        assessment: Assessment | None = None,
    ) -> Plan:
        """The plan of a canary of this service.

        The tier is the highest of the service's own, the change's and what is asked for. One that
        is asked for and lower is taken as well, as `Plan.lowered_from` says: it takes leave.

        Raises:
            ValueError: one sentence that says what is wrong and what would be right.

        """
        if service not in self.services:
            raise ValueError(unknown("service", service, self.services))
        config = self.services[service]
        due, name = self._tier(config.tier, tier, assessment)
        chosen = self.ranking[name]
        gate = chosen.gate
        return Plan(
            tier=name,
            reasons=_reasons(service, config.tier, due, name, assessment),
            steps=self._steps(config, chosen, percent, window),
            tick=self.tick,
            objectives=config.slos.objectives(config.watched),
            decision=gate,
            start_gate=gate if chosen.start == "approval" else None,
            promote_gate=gate if chosen.promote == "approval" else None,
            extension=chosen.extension,
            prepare_timeout=chosen.prepare,
            escalation=self._escalation(config),
            pause=chosen.pause,
            dashboards=tuple(Dashboard(*each) for each in config.dashboards.items()),
            assessment=assessment,
            subscribers=subscribers_of(service, self.webhooks, self.github, self.gitlab),
            lowered_from=due if self._rank(name) < self._rank(due) else "",
        )

    def _escalation(self, config: ServiceSettings) -> Escalation:
        common = self.escalation.escalation
        return Escalation(common.after, config.oncall or common.oncall)

    def _tier(self, own: str, asked: str | None, assessment: Assessment | None) -> tuple[str, str]:
        """The tier that is due, and the one that is taken."""
        for name in (own, asked or own):
            if name not in self.ranking:
                raise ValueError(unknown("tier", name, self.ranking))
        found = assessment.tier if assessment is not None else own
        due = max(own, found, key=self._rank)
        return due, asked or due

    def _rank(self, tier: str) -> int:
        """How risky; a tier that is gone from the file is as the riskiest."""
        names = self.tier_names()
        return names.index(tier) if tier in names else len(names)

    def _steps(
        self, config: ServiceSettings, tier: TierSettings, percent: str | None, window: str | None
    ) -> tuple[Step, ...]:
        steps = [
            StepSettings(
                percent=config.percent or tier.percent, window=config.window or tier.window
            )
        ]
        if tier.steps and config.percent is None and config.window is None:
            steps = list(tier.steps)
        if percent is not None or window is not None:
            first = steps[0]
            share = weight(percent) if percent is not None else first.percent
            length = duration(window) if window is not None else first.window
            steps = [StepSettings(percent=share, window=length)]
        for step in steps:
            if step.percent > MOST_PERCENT or step.percent == Weight(0):
                raise ValueError(
                    f"{step.percent} is no canary: choose more than 0 % and at most 50 %"
                )
            if step.window > LONGEST_WINDOW:
                raise ValueError(
                    f"a window of {written(step.window)} is too long: at most "
                    f"{written(LONGEST_WINDOW)}; take several steps for a slower rollout"
                )
            if step.window < 3 * self.tick:
                raise ValueError(
                    f"a window of {written(step.window)} is too short to judge: it takes at least "
                    f"three looks, {written(3 * self.tick)}"
                )
        return tuple(Step(step.percent, step.window) for step in steps)


def _reasons(
    service: str, own: str, due: str, chosen: str, assessment: Assessment | None
) -> tuple[str, ...]:
    """Why this tier, what matters most first."""
    found = assessment.reasons if assessment is not None else ()
    why = tuple(reason.text for reason in found if reason.tier == due)
    if due == own and (not why or assessment is None or assessment.tier != own):
        why = (f"configured for {service}",)
    if chosen == due:
        return why
    if assessment is None:
        return (f"instead of {due}, which is configured for {service}",)
    return (f"instead of {due}, as asked for this start", *why)
