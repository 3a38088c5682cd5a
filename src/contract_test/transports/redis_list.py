"""A read-only tap on a Redis list: pages of LRANGE, with a pause between them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from contract_test.data.errors import UnreachableError
from contract_test.data.interaction import Tapped
from contract_test.transports.urls import without_password
from envelopes import Wire

PAGE = 500
PAUSE = 0.05


def read_list(url: str, key: str, limit: int) -> Iterator[Tapped]:
    """The messages that stand in a list now, oldest first (RPUSH appends). Nothing is popped, no TTL is touched.

    Raises UnreachableError with the address, never with a password.
    """
    from redis import Redis, RedisError

    place = f"{without_password(url)} {key}"
    try:
        with Redis.from_url(url, socket_timeout=10) as client:
            start = 0
            while start < limit:
                page: list[bytes] = client.lrange(key, start, min(start + PAGE, limit) - 1)
                for index, value in enumerate(page, start):
                    yield Tapped(Wire(value), {"list": key, "index": index})
                if len(page) < PAGE:
                    return
                start += len(page)
                time.sleep(PAUSE)
    except RedisError as error:
        advice = "Check the address and that this user may read the key (LRANGE)."
        raise UnreachableError(f"Redis did not answer: {error}", place=place, advice=advice) from None
