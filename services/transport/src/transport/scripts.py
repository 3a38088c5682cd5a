"""The Lua scripts beside this module, for Redis 6.2 and later, alone or as a Cluster."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from .link import AnyRedis


class Script:
    """One script: what goes in and out stands at the top of its file. All of its keys live in one Cluster slot."""

    def __init__(self, name: str) -> None:
        self.text = files(__package__).joinpath("lua", f"{name}.lua").read_text()
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(
        self, redis: AnyRedis, keys: list[str], arguments: list[Any], *, after: tuple[Any, ...] | None = None
    ) -> Any:
        """Run it, `after` a command that may block; a server that does not know it yet is given its text."""
        rest = (len(keys), *keys, *arguments)
        try:
            try:
                return await redis.call(*([after] if after else ()), ("EVALSHA", self.sha, *rest))
            except NoScriptError:
                return await redis.execute_command("EVAL", self.text, *rest)
        except ResponseError as error:
            if " -OOM " in str(error):  # Redis 6.2 wraps it in an error of the script
                raise OutOfMemoryError(str(error)) from None
            raise


FETCH, CLAIM, PROBE, RELEASE, SETTLE, POSTPONE, MOVE, BEAT, RECOVER, PACE = map(
    Script, ("fetch", "claim", "probe", "release", "settle", "postpone", "move", "beat", "recover", "pace")
)
