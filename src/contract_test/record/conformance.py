"""Conformance.

Each message is checked against the contracts of its channel, and the results add up to the channel's drift.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from contract_test.data.contract import Channel
from contract_test.data.drift import Breach, Drift
from contract_test.data.interaction import Tapped
from contract_test.record.field_inventory import FieldEntry
from contract_test.record.validator import ContractsCatalog, ContractValidator, InvalidDataError, ValidatedData
from contract_test.scanner import leaks_in_text
from contract_test.schema.walk import escape
from envelopes import DecodeError, Envelope, Violation
from envelopes.codecs import CODECS, CodecError, context_of

_SAYS_NO_VALUE = re.compile(
    r"nothing|no type|an (?:object|array) (?:with|of) [0-9]+(?: fields?)?|true|false|null|v[0-9]{1,9}"
)
_ONE_DIGIT = re.compile("-?[0-9]")
_NAME = re.compile(r"[A-Za-z_-]+(?:[0-9]{1,2}[A-Za-z_-]+){0,3}[0-9]{0,3}")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_FROM_THE_SCHEMA = frozenset(
    (
        *("required", "type", "enum", "const", "format", "pattern", "version"),
        *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    )
)
_ADDRESSES = ("list", "stream", "topic")
MAX_NAMES = 500
MAX_NAME_LENGTH = 60
MAX_FORM = 24


@dataclass(frozen=True)
class RejectedMessage:
    """A message that no contract accepts, and why. `validator` is that of its own contract, where it is known."""

    reasons: tuple[tuple[Breach, str], ...]
    validator: ContractValidator | None


class ConformanceChecker:
    """Counts the messages of one channel. What it keeps of a message is its form, or comes from the contract."""

    def __init__(self, contracts: ContractsCatalog, channel: Channel) -> None:
        self._contracts, self._channel = contracts, channel
        self.drift = Drift()
        self._seen: dict[ContractValidator, set[FieldEntry]] = {}

    def check(self, message: Tapped) -> Envelope[Any] | RejectedMessage | None:
        """Check one message. The data of the envelope is a `ValidatedData`. None is a message without data."""
        drift = self.drift
        drift.read += 1
        try:
            envelope = self._contracts.read(message.wire, self._channel)
            if envelope.data is None:
                drift.without_data += 1
                return None
            self._check_context(envelope)
            self._look(envelope.data)
        except (DecodeError, RecursionError) as error:
            rejected = self._rejected(error)
            drift.drifted += 1
            for breach, reason in rejected.reasons:
                example = f"{reason}{_where(message)}"
                drift.breaches[breach] += 1
                drift.examples[breach] = min(example, drift.examples.get(breach, example))
            return rejected
        drift.versions[envelope.data.validator.contract.name] += 1
        return envelope

    def _check_context(self, envelope: Envelope[Any]) -> None:
        """Raise DecodeError if the codec reads a context that it does not write, such as an object as an extension."""
        codec = CODECS[self._channel.codec]
        if not codec.CONTEXT_NAMES:
            return
        try:
            codec.write(context_of(envelope), b"{}", self._channel)
        except CodecError as error:
            violation = Violation(error.pointer, self._channel.codec, error.expected, error.found)
            raise DecodeError(f"channel {self._channel.name}", None, violation, b"") from None

    def result(self) -> Drift:
        """Return everything so far; may be asked for at any time."""
        self.drift.seen = {
            (validator.contract.name, field.pointer) for validator, seen in self._seen.items() for field in seen
        }
        return self.drift

    def _look(self, validated: ValidatedData) -> None:
        undeclared: set[tuple[FieldEntry, str]] = set()
        seen = self._seen.get(validated.validator)
        if seen is None:
            seen = self._seen[validated.validator] = set()
        validated.validator.inventory.look(validated.data, seen, undeclared)
        counts = self.drift.undeclared
        for field, name in undeclared:
            place = (validated.validator.contract.name, f"{field.pointer}/{self._shown_name(name)}")
            if place not in counts and len(counts) >= MAX_NAMES:
                place = (validated.validator.contract.name, f"{field.pointer}/*")
            counts[place] += 1

    def _rejected(self, error: DecodeError | RecursionError) -> RejectedMessage:
        if isinstance(error, RecursionError):
            breach = Breach(f"channel {self._channel.name}", "", "depth")
            return RejectedMessage(((breach, "nested too deeply to be read"),), None)
        if isinstance(error, InvalidDataError):
            contract, inventory = error.validator.contract, error.validator.inventory
            reasons = {
                Breach(contract.name, inventory.pointer_of(each.pointer), each.keyword): self._example(each)
                for each in error.violations
            }
            return RejectedMessage(tuple(sorted(reasons.items())), error.validator)
        breach = Breach(error.subject, error.pointer, error.violation.keyword)
        expected, found = error.expected, error.found
        if expected.startswith("a type of channel") and all(map(_reads_as_name, re.split("[.:/]", found.strip('"')))):
            pass  # the name of a message type, made of words; it is what the catalog lacks
        elif expected != "one JSON text":  # whose `found` is the place alone
            found = self._shown(found)
        return RejectedMessage(((breach, f"expected {expected}, found {found}"),), None)

    def _example(self, violation: Violation) -> str:
        known = violation.keyword in _FROM_THE_SCHEMA
        expected = violation.expected if known else f"what {violation.keyword} asks for"
        return f"expected {expected}, found {self._shown(violation.found)}"

    @staticmethod
    def _shown(found: str) -> str:
        """A short text about a value, without the value."""
        if _SAYS_NO_VALUE.fullmatch(found) or _ONE_DIGIT.fullmatch(found):
            return found
        if found.startswith('"'):
            return f"text of the form {form(found)}"
        return (
            f"a number of {sum(letter.isdigit() for letter in found)} digits" if found[:2].strip("-").isdigit() else "…"
        )

    @staticmethod
    def _shown_name(name: str) -> str:
        return escape(name if _reads_as_name(name) else " ".join(form(name[:40]).split()))


def _where(message: Tapped) -> str:
    """Where in its channel a message stands: ` (partition 0, offset 131)`."""
    places = list(message.seen.items())[-2:]
    return f" ({', '.join(f'{name} {value}' for name, value in places if name not in _ADDRESSES)})" if places else ""


def _reads_as_name(name: str) -> bool:
    """Return whether a name is made of words, as people name fields. No token is, and no long number is in it."""
    words = _WORDS.findall(name)
    return (
        len(name) <= MAX_NAME_LENGTH
        and _NAME.fullmatch(name) is not None
        and len(name) >= 3 * len(words) - 2
        and not any(word.isupper() and len(word) > 5 for word in words)  # noqa: PLR2004 - longer than abbreviations
        and not leaks_in_text(name)
    )


def form(text: str) -> str:
    """Return a text by its letters' kinds alone: `Ana 7` → `Xxx 9`. Of a long text or a web address only the beginning.

    The whole form of a token is taken for a token by scanners for secrets, and that of credentials for credentials.
    """
    scheme, mark, _ = text.partition("://")
    short = f"{scheme[:MAX_FORM]}{mark}…" if mark else text if len(text) <= MAX_FORM else f"{text[:MAX_FORM]}…"
    return _kinds(short)


def _kinds(text: str) -> str:
    return re.sub(r"[^\W\d_]", lambda match: "X" if match[0].isupper() else "x", re.sub(r"\d", "9", text))
