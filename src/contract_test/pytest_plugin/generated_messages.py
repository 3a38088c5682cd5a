"""Generates messages with Hypothesis, which also shrinks the ones that fail."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from contract_test.data.errors import NothingFoundError
from contract_test.replay.cases import Case, Replay
from contract_test.schema.fields import fields_of


def nothing_generated(case: Case) -> NothingFoundError:
    """Return the error for a contract of which no message can be generated."""
    contract = case.subject.contracts[case.version]
    return NothingFoundError(
        f"no message of {contract.name} could be generated: only recorded ones and their variations were tried",
        place=str(contract.path),
        advice="Write the schema so that a message can be made of it, or generate none: --contracts-generated=0.",
    )


class FailedError(Exception):
    """Tell Hypothesis that a message failed."""


def for_each_generated(replay: Replay, case: Case, count: int, use: Callable[[Any], None]) -> None:
    """Call `use` with generated messages. Where it raises, smaller ones follow; the last is the smallest."""
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings
    from hypothesis.errors import Flaky, Unsatisfiable

    from contract_test.replay.variations.generation import messages

    contract = case.subject.contracts[case.version]
    validator = replay.runtime.value_object(case.subject.name, case.version).__contract__.validator
    recorded = [each.data for each in replay.messages(case.subject) if each.interaction.version == case.version]
    strategy = messages(fields_of(contract.resources, contract.uri), recorded, validator.is_valid)
    chosen = settings(
        max_examples=count, derandomize="CI" in os.environ, database=None, deadline=None, print_blob=False,
        phases=(Phase.generate, Phase.shrink), verbosity=Verbosity.quiet, report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    @chosen
    @given(strategy)
    def look(data: Any) -> None:
        use(data)

    with suppress(FailedError, Flaky, Unsatisfiable):  # `use` knows what failed, and whether it was called at all
        look()
