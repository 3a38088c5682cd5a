"""Contract testing for services that talk through queues and event streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_test.compare import compare

__all__ = ["compare"]


def __getattr__(name: str) -> Any:
    """Import `compare` when it is first asked for: `import contract_test` itself stays cheap."""
    if name == "compare":
        from contract_test.compare import compare

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
