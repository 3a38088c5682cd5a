"""The Lua scripts in `lua/`. They run on Redis 6.2 and later, stand-alone or as a Cluster."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from .connection import AnyRedis


class Script:
    """One script. The top of its file documents its keys, arguments and reply. All keys are in one Cluster slot."""

    def __init__(self, name: str) -> None:
        folder = files(__package__) / "lua"
        self.text = (folder / f"{name}.lua").read_text()
        if "clock(" in self.text:
            self.text = (folder / "clock.lua").read_text() + self.text
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(
        self, redis: AnyRedis, keys: list[str], arguments: list[Any], *, after: tuple[Any, ...] | None = None
    ) -> Any:
        """Run the script, and load it first where the server does not know it.

        `after` is a command, which may block, that runs before the script in the same round trip.
        """
        rest = (len(keys), *keys, *arguments)
        try:
            replies = await redis.call(*([after] if after else ()), ("EVALSHA", self.sha, *rest))
        except NoScriptError:
            replies = await redis.call(("EVAL", self.text, *rest))
        return replies[-1]


FETCH, CLAIM, CHECK_CLAIM, RELEASE_CLAIMS = map(Script, ("fetch", "claim", "check_claim", "release_claims"))
ACKNOWLEDGE, SCHEDULE, REQUEUE = map(Script, ("acknowledge", "schedule", "requeue"))
SEARCH, PICK = map(Script, ("search", "pick"))
RENEW_LEASE, RECOVER, FIND_UNKNOWN = map(Script, ("renew_lease", "recover", "find_unknown"))
TAKE_TOKENS, DEPTH, FAILED_AT = map(Script, ("take_tokens", "depth", "failed_at"))
