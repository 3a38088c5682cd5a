"""Which fields have the type `Json`, and why: for people who wonder where a type was lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract_test.data.contract import Catalog, Contract
from contract_test.data.errors import ContractTestError
from contract_test.data.texts import counted
from contract_test.generate.plan import ModulePlan
from contract_test.generate.source import plan_contract, refuse_unusable

MAX_LINES = 20


@dataclass(frozen=True)
class GeneralTypes:
    """How many fields, items and map values have a type, and those of the type `Json`: where, and why."""

    values: int
    places: tuple[str, ...]
    untyped: tuple[str, ...] = ()
    """Those that are a class or any value but an object (`NotAnObject`), and why."""

    def lines(self) -> Iterator[str]:
        """Yield what people read, at most twenty places of each kind."""
        total = f"{counted(self.values, 'field')}, items and map values included,"
        yield from _shown(f"of {total} may be any JSON (`Json`)", self.places, "Json")
        yield from _shown(f"of {total} may also hold a value that is no object", self.untyped, "NotAnObject")


def _shown(title: str, places: Sequence[str], name: str) -> Iterator[str]:
    if places:
        yield f"{len(places)} {title}:"
    yield from (f"  {place}" for place in places[:MAX_LINES])
    if len(places) > MAX_LINES:
        yield f"  and {len(places) - MAX_LINES} more. `{name}` in the generated modules shows all of them."


def general_types(contracts: Sequence[Contract], plans: Sequence[ModulePlan]) -> GeneralTypes:
    """Return the general types of planned modules."""
    named = [(contract.name, plan) for contract, plan in zip(contracts, plans, strict=True)]
    general = tuple(f"{name}: {each}" for name, plan in named for each in plan.general)
    untyped = tuple(f"{name}: {each}" for name, plan in named for each in plan.untyped)
    return GeneralTypes(sum(plan.values for plan in plans), general, untyped)


def find_general_types(catalog: Catalog) -> GeneralTypes:
    """Return the general types of all contracts; those that no class can be planned for are left out."""
    planned: list[tuple[Contract, ModulePlan]] = []
    for contract in catalog.contracts:
        try:
            refuse_unusable(contract)
        except ContractTestError:
            continue  # `lint` has a finding for it
        planned.append((contract, plan_contract(contract, "M")))
    return general_types([contract for contract, _ in planned], [plan for _, plan in planned])
