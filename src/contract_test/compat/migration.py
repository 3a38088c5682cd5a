"""Migrate: whether a reader of a new version is kept from breaking by the upcasters that come with the package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from contract_test.compare.sampling import constants, samples
from contract_test.compat.snapshot import Snapshot
from contract_test.data.errors import NothingFoundError
from contract_test.data.texts import counted
from contract_test.files.installed import import_upcasters, runtime_catalog
from contract_test.replay.variations.derivation import Variations
from contract_test.schema.fields import Fields
from envelopes import EnvelopesError, UnknownNameError, UpcastError, ValueObject
from envelopes._upcast import has_upcaster, step_from
from envelopes.catalog import Catalog as Runtime

GENERATED = 300
_TRIES = 20_000


@dataclass(frozen=True)
class Migration:
    """What trying the upcasters from one version to another gave."""

    recorded: int
    generated: int
    problem: str = ""
    """Why they do not keep the reader from breaking; empty where they do."""

    def __str__(self) -> str:
        return f"its upcaster holds on {self.recorded} recorded and {counted(self.generated, 'generated message')}"


def migrate(subject: str, writer: Snapshot, reader: Snapshot, package: str | None) -> Migration | None:
    """Bring every recorded and many generated messages of the writer's version to the reader's.

    Each must come out valid, whatever it is (total); twice, the same, and unchanged itself (pure). None where the
    package has no upcaster on the way, or holds other contracts than these. Raises CatalogError where its upcasters
    cannot be imported.
    """
    if package is None:
        return None
    try:
        catalog = runtime_catalog(package)
        old, new = (_value_object(catalog, subject, snapshot) for snapshot in (writer, reader))
    except (NothingFoundError, UnknownNameError):
        return None
    if old is None or new is None or not _on_the_way(catalog, old, new):
        return None
    recorded = [each.data for each in writer.recorded]
    generated = list(_generated(writer, reader, recorded))
    for data in (*recorded, *generated):
        try:
            problem = _try(old.from_value(data), new)
        except EnvelopesError as error:
            problem = str(error)
        if problem:
            return Migration(len(recorded), len(generated), problem)
    return Migration(len(recorded), len(generated), "" if recorded or generated else "there is no message to try it on")


def _value_object(catalog: Runtime, subject: str, snapshot: Snapshot) -> type[ValueObject] | None:
    """The class of a version, where the package's contract is the very one that is compared."""
    cls = catalog.value_object(subject, snapshot.contract.version)
    return cls if cls.__contract__.bundle[1] == snapshot.contract.resources else None


def _on_the_way(catalog: Runtime, old: type[ValueObject], new: type[ValueObject]) -> bool:
    """Whether somebody wrote an upcaster for a step from one version to the other."""
    subject, first, last = old.__contract__.subject, old.__contract__.version, new.__contract__.version
    import_upcasters(catalog.package)
    known = catalog.subject(subject).versions
    return any(has_upcaster(catalog.value_object(subject, each)) for each in known if first <= each < last)


def _generated(writer: Snapshot, reader: Snapshot, bases: list[Any]) -> Iterator[Any]:
    validator = writer.validator
    assert validator is not None, "its class was built from the same schema"
    fields = Fields(writer.contract.resources, writer.contract.uri)
    for variation in Variations(fields, bases, validator.is_valid).all():
        if not variation.newer:
            yield variation.applied(bases[variation.base])
    values, names = constants(writer.bundle.schema, reader.bundle.schema)
    tried = islice(samples(bases or [{}], values, names, Random(0)), _TRIES)  # noqa: S311 - the same ones every time
    yield from islice((value for value in tried if validator.is_valid(value)), GENERATED)


def _try(message: ValueObject, new: type[ValueObject]) -> str:
    before = message.to_json()
    first, second = _brought(message, new), _brought(message, new)
    if first != second:
        return f"it is not pure: {before.decode()} gives two different messages"
    return "" if message.to_json() == before else f"it is not pure: it changes {before.decode()}"


def _brought(message: ValueObject, new: type[ValueObject]) -> ValueObject:
    wanted = new.__contract__.version
    while (contract := type(message).__contract__).version < wanted:
        step = step_from(type(message))
        assert step is not None, "there is a later version"
        message = step(message)
    if contract.version > wanted:
        raise UpcastError(contract.subject, contract.version, wanted, "an upcaster goes past it")
    return message
