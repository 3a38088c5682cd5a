"""A client for Redis that says what went wrong, and never with which credentials."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from contract_test.data.errors import NothingFoundError, UnreachableError
from contract_test.transports.urls import Address, unreadable
from envelopes.catalog import address_matches

PASSWORD = "REDISCLI_AUTH"  # noqa: S105 - the variable's name, as redis-cli has it

_NO_SLOTS = "Cluster mode is not enabled"
"""In what redis-py says where it may not ask for the slots of a node that is in a Cluster."""


@contextmanager
def redis_client(url: str, key: str) -> Iterator[Any]:
    """Connect to a URL; options in its query go to the client (`ssl_ca_certs=…`), a password may be in REDISCLI_AUTH.

    The client is untyped: redis types the answers of its two kinds of clients as one.
    Raises UnreachableError, from inside the block too, with the address and never with a password.
    """
    from redis import AuthenticationError, Redis, RedisError
    from redis.exceptions import NoPermissionError, RedisClusterException, ResponseError

    address, password = Address.of(url), os.environ.get(PASSWORD)
    place = f"{address.shown} {key}".rstrip()
    try:
        client = Redis.from_url(url, password=password, socket_timeout=10, socket_connect_timeout=10)
        client.connection_pool.make_connection()  # does not connect yet, but looks at every option
    except (ValueError, TypeError, RedisError):
        raise unreadable(address.shown) from None
    try:
        with client:
            if not is_in_cluster(client, key):
                yield client
                return
        with _cluster_client(url, password, place) as cluster:
            yield cluster
    except NoPermissionError:
        advice = f"Give it, for this key only: ACL SETUSER name ~{key} +lrange +xrange."
        raise UnreachableError("Redis lets this user not read the key", place=place, advice=advice) from None
    except AuthenticationError:
        advice = f"Check the user's name and password, in the URL or in {PASSWORD}."
        raise UnreachableError("Redis did not take the credentials", place=place, advice=advice) from None
    except ResponseError as error:
        message = address.hide(error, password)
        advice = "Check the database's number behind the host's / in the URL, and the channel's protocol."
        if "WRONGTYPE" in message:
            message = "the key holds another type of value"
            advice = "Lists are read as protocol redis-list, streams as redis-stream, and nothing else: check the key."
        raise UnreachableError(f"Redis refused: {message}", place=place, advice=advice) from None
    except (RedisError, RedisClusterException, OSError) as error:
        message = address.hide(error, password)
        advice = (
            "Check the address (rediss:// for TLS, with ?ssl_ca_certs=FILE for your own authority), the channel's "
            "protocol, and that this user may read the key."
        )
        raise UnreachableError(f"Redis did not answer: {message}", place=place, advice=advice) from None


def is_in_cluster(client: Any, key: str) -> bool:
    """Return whether a server is a node of a Cluster, as far as a user who may read only the key is told."""
    from redis.exceptions import MovedError, NoPermissionError, ResponseError

    try:
        return bool(client.info("cluster").get("cluster_enabled"))
    except NoPermissionError:
        pass
    for command in (("LRANGE", key, 0, 0), ("XRANGE", key, "-", "+", "COUNT", 1)):
        try:
            client.execute_command(*command)
        except MovedError:
            return True
        except NoPermissionError:
            continue
        except ResponseError:  # another type, here: who reads it is told so
            pass
        return False
    return False


def _cluster_client(url: str, password: str | None, place: str) -> Any:
    """Return a client that asks the node that holds a key. A Cluster has one database, 0. Raises UnreachableError."""
    from redis import RedisCluster
    from redis.exceptions import NoPermissionError, RedisClusterException

    try:
        return RedisCluster.from_url(url, password=password, socket_timeout=10, socket_connect_timeout=10)
    except (NoPermissionError, RedisClusterException) as error:
        if not isinstance(error, NoPermissionError) and _NO_SLOTS not in str(error):
            raise
        problem = "Redis lets this user not find the nodes of the Cluster"
        advice = "Give it, on each node: ACL SETUSER name +cluster|slots +command."
        raise UnreachableError(problem, place=place, advice=advice) from None


def matching_keys(url: str, pattern: str, kind: str, left_out: Collection[str]) -> list[str]:
    """Return the keys of a kind ("list" or "stream") that match an address with `*`, except those that are left out.

    Raises UnreachableError, and NothingFoundError if there is none.
    """
    glob = re.sub(r"([?\[\]^\\])", r"\\\1", pattern)
    with redis_client(url, pattern) as client:
        found = sorted({key.decode(errors="replace") for key in client.scan_iter(match=glob, count=1000, _type=kind)})
    names = [each for each in found if address_matches(pattern, each) and each not in left_out]
    if not names:
        place = f"{Address.of(url).shown} {pattern}"
        advice = "Check the channel's address; or run it while messages are there: an empty list is no key."
        raise NothingFoundError(f"no {kind} has a key of this form", place=place, advice=advice)
    return names


def is_stream(url: str, key: str) -> bool:
    """Return whether a key holds a stream; a list or nothing is none.

    Asks in a way that a user who may read the key may.
    """
    from redis import ResponseError

    with redis_client(url, key) as client:
        try:
            client.lrange(key, 0, 0)
        except ResponseError as error:
            if "WRONGTYPE" not in str(error):
                raise
            return True
    return False
