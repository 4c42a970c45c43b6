"""How Redis' keys are named.

For the prefix `canarybot` and the service `shop`; the braces put all keys of one service into the
same slot of a Redis Cluster:

- `canarybot:{shop}:canary:<id>`: the record, a hash;
- `canarybot:{shop}:stream:<id>`: what happened, a stream;
- `canarybot:{shop}:live`: the id of the service's live canary;
- `canarybot:{shop}:open`: its unfinished canaries and their owners, a hash;
- `canarybot:{shop}:history`: the ids of all its canaries by creation, a sorted set;
- `canarybot:services`: the names of all services, a set;
- `canarybot:beat:<owner>`: this replica is alive, for a few seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that belong to no service."""

    prefix: str

    @property
    def services(self) -> str:
        """The names of all services that ever had a canary."""
        return f"{self.prefix}:services"

    def beat(self, owner: str) -> str:
        """The heartbeat of a replica."""
        return f"{self.prefix}:beat:{owner}"

    @property
    def anyone(self) -> str:
        """The heartbeat of all replicas together, for whoever asks only whether there is one."""
        return f"{self.prefix}:anyone"

    def of(self, service: str) -> "ServiceKeys":
        """The keys of a service."""
        return ServiceKeys(f"{self.prefix}:{{{service}}}")

    def of_canary(self, canary_id: str) -> "ServiceKeys":
        """The keys of a canary's service, which is its id up to the last hyphen.

        An id without one belongs to nobody; an empty tag would spread its keys over the slots.
        """
        return self.of(canary_id.rpartition("-")[0] or "nobody")


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The keys of one service, all with the same hash tag."""

    root: str

    def record(self, canary_id: str) -> str:
        """A canary as it stands now."""
        return f"{self.root}:canary:{canary_id}"

    def stream(self, canary_id: str) -> str:
        """What happened to a canary."""
        return f"{self.root}:stream:{canary_id}"

    @property
    def live(self) -> str:
        """Which canary is live."""
        return f"{self.root}:live"

    @property
    def open(self) -> str:
        """Which canaries are unfinished, and whose they are."""
        return f"{self.root}:open"

    @property
    def history(self) -> str:
        """All canaries by creation."""
        return f"{self.root}:history"
