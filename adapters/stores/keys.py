"""How Redis' keys are named.

The services are spread over 16 shards. All keys of a shard carry its number in braces, so that a
Redis Cluster has them in the same slot, and one script can change a canary together with every
index that it stands in. For the prefix `canarybot` and the service `shop`, which is in shard 10:

- `canarybot:{10}:shop:canary:<id>`: the record, a hash;
- `canarybot:{10}:shop:stream:<id>`: what happened, a stream;
- `canarybot:{10}:shop:live`: the id of the service's live canary;
- `canarybot:{10}:shop:history`: the ids of all its canaries by creation, a sorted set;
- `canarybot:{10}:open`: the shard's unfinished canaries and their owners, a hash;
- `canarybot:{10}:history`: the ids of all the shard's canaries by creation, a sorted set;
- `canarybot:beat:<owner>`: this replica is alive, for a few seconds;
- `canarybot:anyone`: some replica is, for the same time;
- `canarybot:freezes`: what is frozen by whom until when, a hash by scope;
- `canarybot:{audit}:trail`: who did what that is about no canary, a stream;
- `canarybot:{audit}:head`: the last hash of that stream, a hash.
"""

import zlib
from dataclasses import dataclass
from typing import Final

SHARDS: Final = 16


@dataclass(frozen=True, slots=True)
class ShardKeys:
    """The keys of one shard, all with the same hash tag."""

    root: str

    @property
    def open(self) -> str:
        """Which canaries are unfinished, and whose they are."""
        return f"{self.root}:open"

    @property
    def history(self) -> str:
        """All canaries of the shard by creation."""
        return f"{self.root}:history"


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The keys of one service, all with the hash tag of its shard."""

    shard: ShardKeys
    service: str

    @property
    def root(self) -> str:
        """What all of them begin with."""
        return f"{self.shard.root}:{self.service}"

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
    def history(self) -> str:
        """All canaries of the service by creation."""
        return f"{self.root}:history"


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of one bot."""

    prefix: str

    def beat(self, owner: str) -> str:
        """The heartbeat of a replica."""
        return f"{self.prefix}:beat:{owner}"

    @property
    def anyone(self) -> str:
        """The heartbeat of all replicas together, for whoever asks only whether there is one."""
        return f"{self.prefix}:anyone"

    @property
    def freezes(self) -> str:
        """What is frozen, by scope: a hash of its own, for it is not of one service."""
        return f"{self.prefix}:freezes"

    @property
    def trail(self) -> str:
        """What was done that is about no canary."""
        return f"{self.prefix}:{{audit}}:trail"

    @property
    def trail_head(self) -> str:
        """The hash of the trail's last entry; in the trail's slot."""
        return f"{self.prefix}:{{audit}}:head"

    @property
    def shards(self) -> tuple[ShardKeys, ...]:
        """The keys of each shard."""
        return tuple(ShardKeys(f"{self.prefix}:{{{number}}}") for number in range(SHARDS))

    def of(self, service: str) -> ServiceKeys:
        """The keys of a service."""
        number = zlib.crc32(service.encode()) % SHARDS
        return ServiceKeys(ShardKeys(f"{self.prefix}:{{{number}}}"), service)

    def of_canary(self, canary_id: str) -> ServiceKeys:
        """The keys of a canary's service, which is its id up to the last hyphen."""
        return self.of(canary_id.rpartition("-")[0])
