"""Checks of patterns: a pseudonym that satisfies them can be told from a secret."""

from __future__ import annotations

from collections.abc import Iterator

from contract_test.data.contract import Contract
from contract_test.data.finding import Finding
from contract_test.recordings.patterns_of_secrets import patterns_of_secrets
from contract_test.scrub.applied_schemas import ANNOTATION


def check_patterns(contract: Contract) -> Iterator[Finding]:
    """Yield a warning for each pattern of which every pseudonym looks like a secret, where no sensitivity is stated."""
    sentence = "pseudonyms that this pattern allows look like secrets to public scanners"
    advice = (
        f'Write "{ANNOTATION}": "public" if the values are no secrets. '
        f'Otherwise allow other characters, and write "{ANNOTATION}": "secret".'
    )
    for pointer, node in patterns_of_secrets(contract):
        if ANNOTATION not in node:
            yield Finding(str(contract.path), f"{pointer}/pattern", "pattern-of-secrets", sentence, advice, "warning")
