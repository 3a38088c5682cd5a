"""The client of Redis: a single server, one that Sentinel names, or a Cluster."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import unquote, urlsplit

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel

Client = Redis | RedisCluster

SENTINEL_SCHEME = "redis+sentinel://"


def check_url(text: str) -> str:
    """Return a URL that `connect` accepts. Raises ValueError for others."""
    if text.startswith(SENTINEL_SCHEME):
        _parse_sentinel_url(text)
        return text
    parse_url(text)  # type: ignore[no-untyped-call] # redis-py's
    url = urlsplit(text)
    _ = url.port  # raises if it is too large
    if (db := url.path.strip("/")) and url.scheme != "unix":
        int(db)  # redis-py takes database 0 for what is no number
    return text


def connect(url: str, *, cluster: bool) -> Client:
    """Return a client that reports every broken connection.

    The URL is one of redis-py, or `redis+sentinel://[user:password@]host:port[,host:port]/service[/db]`.
    """
    options: dict[str, Any] = {"socket_timeout": 5, "socket_connect_timeout": 2}
    if cluster:
        return RedisCluster.from_url(url, **options)
    options["retry"] = Retry(NoBackoff(), 0)
    if not url.startswith(SENTINEL_SCHEME):
        return Redis.from_url(url, **options)
    sentinels, service, login = _parse_sentinel_url(url)
    sentinel_options = {**options, "socket_timeout": 2}
    sentinel: Any = Sentinel(sentinels, sentinel_kwargs=sentinel_options)  # type: ignore[no-untyped-call] # redis-py's
    return cast(Redis, sentinel.master_for(service, **login, **options))


def drop_connections(client: Client) -> None:
    """Close all connections. New ones look the server's name up, or ask Sentinel or the Cluster, again."""
    if isinstance(client, RedisCluster):
        client.close()
    else:
        client.connection_pool.disconnect()


def memory_of(client: Any, key: str) -> dict[str, Any]:
    """Return what INFO says of the memory of the server that holds a key."""
    node: dict[str, Any] = {}
    if isinstance(client, RedisCluster):
        node["target_nodes"] = client.get_node_from_key(key)  # type: ignore[no-untyped-call] # redis-py's
    return dict(client.execute_command("INFO", "memory", **node))


def _parse_sentinel_url(url: str) -> tuple[list[tuple[str, int]], str, dict[str, Any]]:
    """Return the addresses of the sentinels, the name of the service, and the login and database of the master."""
    login, _, hosts = urlsplit(url).netloc.rpartition("@")
    user, _, password = (unquote(part) for part in login.partition(":"))
    sentinels = [urlsplit(f"//{host}") for host in hosts.split(",")]
    service, _, db = urlsplit(url).path.strip("/").partition("/")
    if not service or not all(each.hostname for each in sentinels):
        raise ValueError(url)
    addresses = [(str(each.hostname), each.port or 26379) for each in sentinels]
    return addresses, service, {"username": user or None, "password": password or None, "db": int(db or 0)}
