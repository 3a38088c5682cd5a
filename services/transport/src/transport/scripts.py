"""The Lua scripts beside this module, for Redis 6.2 and later, alone or as a Cluster."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import NoScriptError

AnyRedis = Redis | RedisCluster


class Script:
    """One script: what goes in and out stands at the top of its file. All of its keys live in one Cluster slot."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = files(__package__).joinpath("lua", f"{name}.lua").read_text()
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, redis: AnyRedis, keys: list[str], arguments: list[Any]) -> Any:
        """Run it; a server that does not know it yet is given its text."""
        try:
            return await redis.execute_command("EVALSHA", self.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await redis.execute_command("EVAL", self.text, len(keys), *keys, *arguments)

    async def after(self, redis: AnyRedis, first: tuple[Any, ...], keys: list[str], arguments: list[Any]) -> Any:
        """Run it right after a command that may block, in one round trip; on a Cluster it takes two."""
        if isinstance(redis, RedisCluster):
            await redis.execute_command(*first)
            return await self(redis, keys, arguments)
        async with redis.pipeline(transaction=False) as both:
            both.execute_command(*first)
            both.execute_command("EVALSHA", self.sha, len(keys), *keys, *arguments)
            answers: list[Any] = await both.execute(raise_on_error=False)
        if isinstance(answers[1], NoScriptError):
            return await self(redis, keys, arguments)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers[1]


FETCH, CLAIM, SETTLE, POSTPONE, MOVE, BEAT, RECOVER, PACE = map(
    Script, ("fetch", "claim", "settle", "postpone", "move", "beat", "recover", "pace")
)
