"""Messages judged by the contracts directory itself: what `decode` says, without generated classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from contract_test.data.contract import Catalog, Channel, Contract
from contract_test.record.field_inventory import FieldInventory
from contract_test.schema.shape import Shapes
from contract_test.schema.sources import Position, Source
from contract_test.schema.walk import References
from envelopes import DecodeError, Envelope, Violation, Wire, decode
from envelopes.catalog import Catalog as Runtime
from envelopes.catalog import Subject
from envelopes.validation import CompiledSchema, compile_schema, find_violations

MAX_VIOLATIONS_PER_MESSAGE = 100  # of one message


class ContractValidator:
    """One contract, and everything that is worked out of its schema once. Stands where `decode` expects a class."""

    __as_written__ = False
    """Its data is as validators read it, without how numbers were written."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.__contract__ = self

    def __reduce__(self) -> tuple[type[ContractValidator], tuple[Contract]]:
        return ContractValidator, (self.contract,)  # a compiled validator cannot be pickled

    @cached_property
    def validator(self) -> CompiledSchema:
        """The compiled schema, as `decode` uses it."""
        return compile_schema(self.contract.resources, f"{self.contract.uri}#")

    def from_value(self, data: Any, raw: bytes = b"") -> ValidatedData:
        """Return parsed data that the contract accepts. Raises DecodeError."""
        if self.validator.is_valid(data):
            return ValidatedData(self, data)
        first = next(find_violations(self.validator, data))
        raise InvalidDataError(self, data, first, raw)

    @cached_property
    def _references(self) -> References:
        return References(self.contract.resources, self.contract.uri)

    @cached_property
    def shapes(self) -> Shapes:
        """What the schema says about values."""
        return Shapes(self._references)

    @cached_property
    def position(self) -> Position:
        """A whole message."""
        return (Source(self._references.root),)

    @cached_property
    def inventory(self) -> FieldInventory:
        """The fields that messages may have."""
        declared = Shapes(self._references, declared_only=not self.contract.sends_undeclared)
        return FieldInventory(self._references, declared, self.contract.resources)


@dataclass(frozen=True)
class ValidatedData:
    """Data, as plain JSON, and the contract that accepts it."""

    validator: ContractValidator
    data: Any


class InvalidDataError(DecodeError):
    """Data that its own contract does not accept."""

    def __init__(self, validator: ContractValidator, data: Any, first: Violation, raw: bytes) -> None:
        super().__init__(validator.contract.subject, validator.contract.version, first, raw)
        self.validator, self.data = validator, data

    @property
    def violations(self) -> list[Violation]:
        """Everything that is wrong, each once."""
        return list(
            dict.fromkeys(islice(find_violations(self.validator.validator, self.data), MAX_VIOLATIONS_PER_MESSAGE))
        )


class ContractsCatalog(Runtime):
    """A contracts directory as the catalog that `decode` takes; what is judged by it needs no generated package."""

    def __init__(self, catalog: Catalog, *more: Channel) -> None:
        known = {channel.name: channel for channel in (*catalog.channels.values(), *more)}
        subjects = [
            Subject(
                each.name,
                dict.fromkeys(each.contracts, ":"),
                channel=each.channel.name if each.channel else None,
                channels=_names(each.channels),
                retry=_names(each.retry),
                dead_letter=_names(each.dead_letter),
                type=each.type,
                key=each.key,
                id=each.id,
                time=each.time,
                version=each.version,
                dataschemas={number: contract.dataschema for number, contract in each.contracts.items()},
                schema_ids=each.schema_ids,
            )
            for each in catalog.subjects.values()
        ]
        super().__init__("contracts", known.values(), subjects)
        self._validators: Mapping[tuple[str, int], ContractValidator] = {
            (contract.subject, contract.version): ContractValidator(contract) for contract in catalog.contracts
        }

    def value_object(self, subject: str, version: int) -> Any:
        """Return the judge of one version."""
        return self._validators[subject, version]

    def read(self, message: Wire, channel: Channel) -> Envelope[Any]:
        """Decode one message; its data is a `ValidatedData`. Raises DecodeError, for an unknown version too."""
        envelope: Envelope[Any] = decode(message, channel=channel.name, catalog=self)
        if envelope.newer:
            subject = envelope.type or channel.name
            known = ", ".join(f"v{number}" for number in sorted(self.subjects[subject].versions))
            violation = Violation("", "version", f"one of {known}", f"v{envelope.version}")
            raise DecodeError(subject, None, violation, bytes(message)) from None
        return envelope


def _names(channels: Iterable[Channel]) -> tuple[str, ...]:
    return tuple(each.name for each in channels)
