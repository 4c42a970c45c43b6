"""Tells a receiver of the team's by signed webhooks: see `content` for what, `signing` for how.

A receiver answers with a 2xx once it has the notice, and looks into it afterwards. The same
`webhook-id` may come again and means the same notice. It should refuse a `webhook-timestamp` that
is minutes old, and has to compare a signature of the bytes as they came.
"""

from collections.abc import Collection
from typing import Final, Protocol

import httpx

from adapters.publishing.content import content
from adapters.publishing.exchange import Quiet, Reply, exchange
from adapters.publishing.signing import Signer
from bot.core.effects import Milestone
from bot.ports import Clock, Declined, Notice, PortError

MOVED: Final = frozenset({301, 308})


class WebhookOptions(Protocol):
    """What is configured of a webhook.

    Attributes:
        url: where to; only its host is ever shown.
        secret_env: the environment's name for its secrets.
        events: what it is told of.
        services: whose canaries; None for all.

    """

    @property
    def url(self) -> str: ...  # noqa: D102 - said above
    @property
    def secret_env(self) -> str: ...  # noqa: D102 - as above
    @property
    def events(self) -> Collection[Milestone]: ...  # noqa: D102 - as above
    @property
    def services(self) -> Collection[str] | None: ...  # noqa: D102 - as above


class Webhook:
    """Posts each notice that was asked for, and only waits for its answer's first line."""

    def __init__(
        self,
        name: str,
        options: WebhookOptions,
        signer: Signer,
        http: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self._options = options
        self._signer = signer
        self._http = http
        self._clock = clock
        self._quiet = Quiet(clock)
        self._place = f"the webhook {name} at {httpx.URL(options.url).host}"

    async def notify(self, notice: Notice) -> None:
        """See `Subscriber.notify`."""
        if not self._wants(notice.canary.service, notice.milestone):
            return
        self._quiet.check(self._place)
        body = content(notice)
        signed = self._signer.headers(notice.id, self._clock.now(), body)
        reply = await exchange(
            self._http,
            "POST",
            self._options.url,
            what=self._place,
            largest=0,
            headers={"Content-Type": "application/json", **signed},
            content=body,
        )
        if not reply.is_taken:
            self._refused(reply)

    def _wants(self, service: str, milestone: Milestone) -> bool:
        services = self._options.services
        return milestone in self._options.events and (services is None or service in services)

    def _refused(self, reply: Reply) -> None:
        """Raise what it means."""
        status = reply.status
        said = f"{self._place} answered {status}"
        if reply.may_pass:
            self._quiet.heed(reply)
            raise PortError(f"{said}; look into its log, it is tried again")
        if 300 <= status < 400:
            error = Declined if status in MOVED else PortError
            raise error(
                f"{said}, a redirect, and what is signed is sent nowhere else; configure the "
                "address it wants, if that is right"
            )
        if status == httpx.codes.GONE:
            raise Declined(
                f"{said}: it is gone for good; take it out of the configuration's webhooks"
            )
        if status in {401, 403}:
            raise Declined(
                f"{said}: it does not accept the signature or who sends it; compare its secret "
                f"with {self._options.secret_env}, and the clocks of both machines"
            )
        raise Declined(f"{said}; check its address, and its log for what it does not like")
