"""What the search for arrays and objects asks back of the solver: the values of items and members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from contract_test.compare.branches import Literal
from contract_test.compare.evaluation import Evaluator
from contract_test.compare.nodes import Pool
from contract_test.compare.search_result import Found


class Subsearch(Protocol):
    """The solver as its parts see it."""

    pool: Pool
    evaluator: Evaluator

    def solve(self, literals: Iterable[Literal], want: int = 1) -> Found:
        """Return up to `want` values that are in every wanted node and in no unwanted one."""
