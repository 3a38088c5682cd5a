"""The secret of an account at a gateway, which may change while the worker runs."""

from __future__ import annotations

import asyncio
import logging
import math
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path

from ._protocol import FailureKind, GatewayError

log = logging.getLogger("transport")

MAX_AGE = 300.0
"""A secret from a file or a command is read again after this time in seconds, or when the gateway rejects it."""
_COMMAND_TIMEOUT = 10.0


@dataclass
class Credential:
    """A fixed secret, or one that is read from a file or from the output of a command."""

    text: str = "local"
    file: Path | None = None
    command: str = ""
    _valid_until: float = field(default=-math.inf, init=False)
    _was_read: bool = field(default=False, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def get(self) -> str:
        """Return the secret. Raises GatewayError if it cannot be read and there is no earlier one."""
        async with self._reading:  # the first of many requests reads it for all
            if (self.file or self.command) and time.monotonic() >= self._valid_until:
                try:
                    text = self.file.read_text() if self.file else await self._run()
                except (OSError, ValueError, TimeoutError) as error:
                    log.error("the gateway's credential cannot be read", extra={"reason": str(error)})  # noqa: TRY400 - expected
                    if not self._was_read:
                        raise GatewayError(FailureKind.BLOCKED, "the credential cannot be read") from None
                else:
                    self.text, self._was_read = text.strip(), True
                self._valid_until = time.monotonic() + MAX_AGE
        return self.text

    def expire(self) -> None:
        """Read the secret again before the next request."""
        self._valid_until = -math.inf

    async def _run(self) -> str:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*shlex.split(self.command), stdout=pipe)
        try:
            async with asyncio.timeout(_COMMAND_TIMEOUT):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            raise
        if process.returncode:
            raise ValueError(f"the command exited with {process.returncode}")
        return output.decode()
