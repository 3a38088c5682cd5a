"""Patterns that prescribe the form of a secret, so that every pseudonym has it, too."""

from __future__ import annotations

import string
from collections.abc import Iterator
from random import Random
from typing import Any

from contract_test.compare.automata import Automaton, Words
from contract_test.data.contract import Contract
from contract_test.scanner import leaks_in_text
from contract_test.schema.walk import draft_of, subschemas
from contract_test.scrub.applied_schemas import ANNOTATION
from contract_test.scrub.masking import prefixes_of
from contract_test.scrub.pseudonyms import Pseudonyms
from contract_test.scrub.sensitivity_rules import automaton_of

MAX_PATTERN_LENGTH = 1000
MAX_CHARACTERS = 10_000
"""Of the different patterns of one contract, so many characters are looked at."""
_SAMPLES, _SALTS = 3, 4
_LETTERS = string.ascii_letters + string.digits


def patterns_of_secrets(contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each schema of which every pseudonym looks like a secret to public scanners, with its JSON pointer.

    Schemas whose values are public are left out: they get no pseudonyms.
    """
    pseudonyms = Pseudonyms(b"lint", prefixes_of(contract))
    known: dict[str, bool] = {}
    left = MAX_CHARACTERS
    for pointer, node, _ in subschemas(contract.schema, contract.uri, draft_of(contract.schema)):
        pattern = node.get("pattern")
        if not isinstance(pattern, str) or node.get(ANNOTATION) == "public":
            continue
        if pattern not in known and len(pattern) <= min(left, MAX_PATTERN_LENGTH):
            left -= len(pattern)
            known[pattern] = _prescribes_a_secret(pattern, pseudonyms)
        if known.get(pattern):
            yield pointer, node


def _prescribes_a_secret(pattern: str, pseudonyms: Pseudonyms) -> bool:
    known = automaton_of(pattern)
    if known is None:
        return False
    samples = Words([known], []).find(0, None, _SAMPLES)[0]
    return bool(samples) and all(
        any(rule != "random" for rule, _ in leaks_in_text(_another(known, sample)))
        and not any(known.matches(pseudonyms.text(sample, salt)) for salt in range(_SALTS))
        for sample in samples
    )


def _another(known: Automaton, text: str) -> str:
    """Return a text that a pattern accepts as it accepts another one, with random letters and digits."""
    random, states, made = Random(0), known.start, []  # noqa: S311 - an example, and no secret
    for letter in text:
        after = known.step(states, ord(letter))
        same = [each for each in _LETTERS if known.step(states, ord(each)) == after]
        made.append(random.choice(same) if same else letter)
        states = after
    return "".join(made)
