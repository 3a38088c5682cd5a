"""Contracts that come with an installed package of value objects."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from contract_test.data.contract import Contract
from contract_test.data.errors import NothingFoundError, StalePackageError
from contract_test.files.lock import digest, digest_of, read_lock
from envelopes import Catalog as Runtime


def installed_contracts(package: str, option: str = "--contracts") -> Path:
    """The contracts directory that belongs to a package: inside it, or, installed in place, at the top of its checkout.

    Raises NothingFoundError where there is no such package, or no contracts with it; `option` names others.
    """
    spec = find_spec(package) if is_installed(package) else None
    if spec is None or spec.origin is None:
        raise _not_installed(package)
    folder = Path(spec.origin).parent
    for candidate in (folder / "contracts", folder.parents[1] / "contracts"):
        if (candidate / "catalog.toml").is_file():
            return candidate
    raise NothingFoundError(
        "there are no contracts in the package", place=str(folder), advice=f"Name a directory with {option} DIR."
    )


def is_installed(package: str) -> bool:
    """Whether a package can be imported."""
    return package.isidentifier() and find_spec(package) is not None


def _not_installed(package: str) -> NothingFoundError:
    name = package.replace("-", "_")
    said = f" Python's name of it is {name!r}." if name != package and name.isidentifier() else ""
    return NothingFoundError(
        f"the package {package!r} is not installed",
        advice=f"pip install what it comes in, or correct `package` of [tool.contract-test] in pyproject.toml.{said}",
    )


def runtime_catalog(package: str) -> Runtime:
    """The generated package's own catalog. Raises NothingFoundError where it is not installed, or has none."""
    if not is_installed(package):
        raise _not_installed(package)
    try:
        catalog = import_module(f"{package}.messages").CATALOG
    except (ImportError, AttributeError) as error:
        advice = "Generate it: contract-test generate --package NAME --output DIR."
        raise NothingFoundError(f"the package {package!r} has no value objects: {error}", advice=advice) from None
    assert isinstance(catalog, Runtime)
    return catalog


def check_package(contracts: Iterable[Contract], runtime: Runtime) -> None:
    """Raise StalePackageError where the value objects were generated from other contracts than these."""
    for contract in contracts:
        subject = runtime.subjects.get(contract.subject)
        if subject is None or contract.version not in subject.versions:
            problem = "is not in"
        else:
            uri, resources = runtime.value_object(contract.subject, contract.version).__contract__.bundle
            if digest_of(uri, resources) == digest(contract):
                continue
            problem = "is another schema in"
        registered = (contract.subject, contract.version) in read_lock(contract.path.parents[1])
        package = runtime.package.partition(".")[0]
        raise StalePackageError(
            f"{contract.name} {problem} the package {package!r}"
            + (": the package is older than contracts.lock" if registered else ""),
            place=str(contract.path),
            advice=f"Install the version of {package} that belongs to these contracts, or run contract-test generate.",
        )
