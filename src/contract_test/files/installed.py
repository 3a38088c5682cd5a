"""Contracts that come with an installed package of value objects."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from traceback import extract_tb

from contract_test.data.contract import Channel, Contract, Subject
from contract_test.data.errors import CatalogError, NothingFoundError, StalePackageError
from contract_test.files.lock import digest, digest_of, read_lock
from contract_test.files.toml import read_toml
from envelopes._upcast import load_upcasters
from envelopes.catalog import Catalog as Runtime
from envelopes.catalog import Subject as RuntimeSubject

RECORDINGS_FILE = "recordings.toml"
"""What the distribution of recordings adds to the contracts directory: the version to which its recordings belong."""


def installed_contracts(package: str, option: str = "--contracts") -> Path:
    """Return the contracts directory that belongs to a package.

    Inside it, or, installed in place, at the top of its checkout.

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
    """Return whether a package can be imported."""
    return package.isidentifier() and find_spec(package) is not None


def missing_extra(root: Path) -> str | None:
    """Return what to install if contracts come from a package whose recordings are not installed.

    For example `acme-envelopes[recordings]`. None where the recordings are there, or `root` is in no package.
    """
    package = root.parent.name
    if not (root.parent / "__init__.py").is_file() or any(root.glob("*/recordings")):
        return None
    return f"{_distribution(package)}[recordings]"


def check_recordings(package: str, root: Path) -> None:
    """Raise StalePackageError where the recordings in an installed package belong to another version of it."""
    recorded = read_toml(root / RECORDINGS_FILE).get("version")
    version = getattr(import_module(package), "__version__", None)
    if recorded is not None and version is not None and recorded != version:
        raise StalePackageError(
            f"the recordings belong to version {recorded}, and the package {package!r} is version {version}",
            place=str(root),
            advice=f"Install both in one version: pip install --upgrade '{_distribution(package)}[recordings]'",
        )


def _distribution(package: str) -> str:
    """Return the name of the distribution that a package comes in."""
    names = packages_distributions().get(package, [package.replace("_", "-")])
    return min(names, key=len)


def _not_installed(package: str) -> NothingFoundError:
    name = package.replace("-", "_")
    hint = f" Python's name of it is {name!r}." if name != package and name.isidentifier() else ""
    return NothingFoundError(
        f"the package {package!r} is not installed",
        advice=f"pip install what it comes in, or correct `package` of [tool.contract-test] in pyproject.toml.{hint}",
    )


def runtime_catalog(package: str) -> Runtime:
    """Return the generated package's own catalog. Raises NothingFoundError where it is not installed, or has none."""
    if not is_installed(package):
        raise _not_installed(package)
    try:
        catalog = import_module(f"{package}.messages").CATALOG
    except (ImportError, AttributeError) as error:
        advice = "Generate it: contract-test generate --package NAME --output DIR."
        raise NothingFoundError(f"the package {package!r} has no value objects: {error}", advice=advice) from None
    assert isinstance(catalog, Runtime)
    return catalog


def import_upcasters(package: str) -> None:
    """Import the upcasters beside a generated package. Raises CatalogError with their file and line."""
    try:
        load_upcasters(package)
    except Exception as error:  # noqa: BLE001 - somebody's own code may fail in any way
        frames = [each for each in extract_tb(error.__traceback__) if Path(each.filename).name == "upcasters.py"]
        file, line = (frames[-1].filename, frames[-1].lineno) if frames else ("upcasters.py", None)
        if isinstance(error, SyntaxError) and error.filename:
            file, line = error.filename, error.lineno
        path, here = Path(file), Path.cwd()
        shown = path.relative_to(here) if path.is_relative_to(here) else path
        raise CatalogError(
            f"cannot be imported: {type(error).__name__}: {getattr(error, 'msg', error)}",
            place=f"{shown}:{line}" if line else f"{shown}",
            advice=f"Mend it, or take it out: BACKWARD is judged with the upcasters of {package.partition('.')[0]!r}.",
        ) from None


def check_package(subjects: Iterable[Subject], runtime: Runtime) -> None:
    """Raise StalePackageError where the value objects were generated from other contracts than these.

    Raises CatalogError where these are not what is registered in their own lock.
    """
    package = runtime.package.partition(".")[0]
    advice = f"Install the version of {package} that belongs to these contracts, or run contract-test generate."
    for subject in subjects:
        root = subject.newest.path.parents[1]
        lock = {version: known for (name, version), known in read_lock(root).items() if name == subject.name}
        for version, registered in lock.items():
            _check_registered(subject, version, registered)
        for contract in subject.contracts.values():
            problem = _difference(contract, runtime)
            if problem is not None:
                older = ": the package is older than contracts.lock" if contract.version in lock else ""
                problem = f"{contract.name} {problem} the package {package!r}{older}"
                raise StalePackageError(problem, place=str(contract.path), advice=advice)
        generated = runtime.subjects[subject.name]
        there_channels = [runtime.channels[name] for name in generated.all_channels if name is not None]
        here = _declared(subject, subject.newest.version, subject.all_channels)
        there = _declared(generated, max(generated.versions), there_channels)
        for name in here | there:
            if here.get(name) != there.get(name):
                problem = f"{subject.name}: {name} is {here.get(name)!r} here, and {there.get(name)!r} in {package!r}"
                raise StalePackageError(problem, place=str(root / "catalog.toml"), advice=advice)


def _check_registered(subject: Subject, version: int, registered: str) -> None:
    contract = subject.contracts.get(version)
    if contract is None or digest(contract) != registered:
        gone, changed = (
            "a registered version is not there",
            "a registered version changed: it is not the one in the lock",
        )
        raise CatalogError(
            gone if contract is None else changed,
            place=str(subject.newest.path.parent / f"v{version}.json"),
            advice="Where the contracts are kept, take the change back and write it as a version of its own "
            "(`contract-test lint` shows it); then install the package again.",
        )


def _difference(contract: Contract, runtime: Runtime) -> str | None:
    subject = runtime.subjects.get(contract.subject)
    if subject is None or contract.version not in subject.versions:
        return "is not in"
    uri, resources = runtime.value_object(contract.subject, contract.version).__contract__.bundle
    return None if digest_of(uri, resources) == digest(contract) else "is another schema in"


def _declared(subject: Subject | RuntimeSubject, newest: int, channels: Iterable[Channel]) -> dict[str, object]:
    """What a message of a subject is encoded and decoded by."""
    pointers = {name: getattr(subject, name) for name in ("type", "key", "id", "time", "version", "schema_ids")}
    known = list(channels)
    channel_config = {
        f"the {name} of its channel{f' {channel.name}' if len(known) > 1 else ''}": value
        for channel in known
        for name, value in vars(channel).items()
    }
    names = {"the channels": [channel.name for channel in known]} if len(known) != 1 else {}
    return {"the newest version": newest} | pointers | names | channel_config
