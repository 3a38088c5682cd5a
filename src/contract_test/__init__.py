"""Contract testing for services that talk through queues and event streams."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_test.compare import compare

__all__ = ["compare"]


class _Package(ModuleType):
    """The package, where `contract_test.compare` stays the function after the room of that name is imported."""

    @property
    def compare(self) -> Any:
        """Import the function when it is first asked for: `import contract_test` itself stays cheap."""
        from contract_test.compare.engine import compare

        return compare

    @compare.setter
    def compare(self, room: ModuleType) -> None:
        """Ignore the room, which Python would bind under its own name."""


sys.modules[__name__].__class__ = _Package
