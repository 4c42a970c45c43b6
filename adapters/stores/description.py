"""What a Redis tells of itself, and what endangers the canaries in it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from redis import exceptions

from adapters.stores import Description
from adapters.stores.address import Kind
from adapters.stores.connection import Link

_REPLICATED = {Kind.SENTINEL, Kind.CLUSTER}


async def describe(link: Link) -> Description:
    """Which servers these are and how they keep their data; what they do not tell is left out.

    Raises:
        PortError: it does not answer.

    """
    infos = await _each(link, link.redis.info)
    configs = await _each(link, link.redis.config_get, "appendfsync", "save")
    facts = [link.place]
    if link.kind is Kind.CLUSTER:
        facts.append(_count(len(infos), "primary", "primaries"))
    if link.kind is Kind.SENTINEL:
        facts.append("primary now {}:{}".format(*await _primary(link)))
    if link.tls:
        facts.append("TLS")
    warnings: list[str] = []
    for name, info in infos.items():
        config = configs.get(name, {})
        facts += [fact for fact in _facts(link, info, config) if fact not in facts]
        warnings += [each for each in _warnings(link, info, config) if each not in warnings]
    if link.kind is Kind.SENTINEL:
        warnings += await _silent_sentinels(link)
    return Description(", ".join(facts), tuple(warnings))


async def _each(
    link: Link, ask: Callable[..., Awaitable[Any]], *names: str
) -> dict[str, dict[str, Any]]:
    """What each primary answers; managed ones often forbid the question."""
    async with link.asking():
        try:
            if link.kind is Kind.CLUSTER:
                answers = await ask(*names, target_nodes="primaries")
                nested = all(isinstance(answer, dict) for answer in answers.values())
                return dict(answers) if nested else {"": dict(answers)}
            return {"": dict(await ask(*names))}
        except exceptions.ResponseError:
            return {"": {}}


async def _primary(link: Link) -> tuple[str, int]:
    async with link.asking():
        host, port = await link.redis.connection_pool.get_master_address()
    return str(host), int(port)


def _facts(link: Link, info: dict[str, Any], config: dict[str, Any]) -> list[str]:
    name = str(info.get("server_name", "redis")).capitalize()
    version = info.get("valkey_version") or info.get("redis_version")
    log = info.get("aof_enabled")
    kept = {1: f"append-only file, fsync {config.get('appendfsync', 'unknown')}", 0: "no log"}
    replicas = info.get("connected_slaves")
    facts = [
        f"{name} {version}" if version else "does not tell its version",
        kept.get(log, "does not tell how it keeps data") if log is not None else "",
        _count(replicas, "replica", "replicas") + (" each" if link.kind is Kind.CLUSTER else "")
        if replicas is not None and link.kind in _REPLICATED
        else "",
    ]
    return [fact for fact in facts if fact]


def _warnings(link: Link, info: dict[str, Any], config: dict[str, Any]) -> list[str]:
    warnings = []
    if info.get("aof_enabled") == 0:
        snapshots = "" if config.get("save") is None else f" (snapshots: {config['save'] or 'no'})"
        warnings.append(
            f"its append-only file is off{snapshots}: what was written last is lost when it "
            "crashes; set appendonly yes"
        )
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        warnings.append(
            f"its maxmemory-policy is {info['maxmemory_policy']}: it may throw away a live "
            "canary when memory is short; set noeviction"
        )
    replicas = info.get("connected_slaves")
    if link.kind in _REPLICATED and replicas == 0:
        warnings.append(
            "a primary has no replica: nothing takes over when it fails; add a replica, two better"
        )
    # INFO names the good replicas only where min-replicas-to-write is set.
    if link.kind in _REPLICATED and replicas and "min_slaves_good_slaves" not in info:
        warnings.append(
            "its min-replicas-to-write is 0: a primary that is cut off goes on taking writes, "
            "which a failover throws away; set min-replicas-to-write 1 and min-replicas-max-lag 10"
        )
    return warnings


async def _silent_sentinels(link: Link) -> list[str]:
    sentinels = link.redis.sentinels

    async def silent(host: str, port: int, sentinel: Any) -> str:
        try:
            await sentinel.ping()
        except exceptions.RedisError:
            return (
                f"the Sentinel at {host}:{port} does not answer; a failover needs most of "
                "them: start it, or correct the address"
            )
        return ""

    async with link.asking():
        found = await asyncio.gather(*(silent(*each) for each in sentinels))
    return [text for text in found if text]


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
