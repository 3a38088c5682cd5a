"""What the commands of a registry say: a step for each version, and findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contract_test.data.finding import Finding

Status = Literal["registered", "new", "not pushed", "pulled", "unchanged", "left"]


@dataclass(frozen=True)
class Step:
    """One version of a subject in a registry, and the contract that it belongs to.

    `version` and `id` are the registry's, and None where it has none yet. `mode` is the subject's compatibility mode in
    the registry, and `new_mode` the one that it gets, or "".
    """

    contract: str
    subject: str
    status: Status
    version: int | None = None
    id: int | None = None
    mode: str = ""
    new_mode: str = ""
    note: str = ""


@dataclass(frozen=True)
class RegistryResult:
    """The result of one command, `registry` being the address."""

    command: str
    registry: str
    steps: Sequence[Step] = ()
    findings: Sequence[Finding] = ()
    notes: Sequence[str] = ()
