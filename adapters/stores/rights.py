"""What the bot's user must be allowed to do in Redis: few commands, and none on the server itself.

CONFIG, SCRIPT, FUNCTION, COMMAND, CLIENT, KEYS, SCAN and DEBUG are never needed. INFO and CONFIG
GET are asked for `canary check` only, which says less without them.
"""

from typing import Final

COMMANDS: Final = (
    *("ping", "eval", "evalsha"),
    *("get", "set", "del", "exists", "persist", "pexpire"),
    *("hmget", "hgetall", "hset", "hdel", "hexists", "hincrby"),
    *("zadd", "zrevrange", "zremrangebyscore"),
    *("xadd", "xrange"),
)
"""Inside scripts included."""

CLUSTER_COMMANDS: Final = ("cluster|slots", "asking")
"""What a cluster's client needs beside them."""

BEHIND_SENTINELS: Final = ("wait", "role")
"""What the bot's user needs where the address names Sentinels: to see that a replica has a write."""

SENTINEL_COMMANDS: Final = ("ping", "sentinel|get-master-addr-by-name")
"""What the user of the Sentinels needs, if they have users."""


def acl(prefix: str = "canarybot") -> tuple[str, ...]:
    """The rules of ACL SETUSER for one bot, but for the user's name, password and `on`."""
    allowed = (f"+{command}" for command in (*COMMANDS, *CLUSTER_COMMANDS))
    return ("resetkeys", "resetchannels", "-@all", f"~{prefix}:*", *allowed)
