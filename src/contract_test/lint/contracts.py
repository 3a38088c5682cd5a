"""Checks of a whole contracts directory: schemas, names, versions, the lock, and pointers in the catalog."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import jsonschema_rs

from contract_test.compare import empty_places
from contract_test.data.contract import Catalog, Channel, Contract, Subject, snake_case, usable_subject
from contract_test.data.errors import CatalogError, ContractTestError, NothingFoundError
from contract_test.data.finding import Finding, Position
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import FILE as LOCK
from contract_test.files.lock import read_lock
from contract_test.lint.key_checks import check_scrub_key
from contract_test.lint.owners import check_owners
from contract_test.lint.profile import remarks
from contract_test.lint.pseudonym_checks import check_patterns
from contract_test.lint.recording_checks import check_recording, old_recordings
from contract_test.lint.registration import check_against, check_lock, check_registered
from contract_test.schema.bundle import bundle
from contract_test.schema.fields import Fields
from contract_test.schema.keywords import is_no_schema
from contract_test.schema.walk import References, draft_of, escape, subschemas
from contract_test.scrub.applied_schemas import ANNOTATION, SENSITIVITIES
from envelopes.validation import ASSERTED_FORMATS, compile_schema, find_violation

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
SECONDS_FOR_EMPTINESS = 1.0
UNREADABLE = ("catalog", "schema")
"""The rules of findings that keep a catalog, or one of its contracts, from being read."""
_SUBJECT = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")


def lint(root: Path, max_age: timedelta | None = None, against: str | None = None) -> list[Finding]:
    """Return everything that is wrong with a contracts directory, errors first.

    With `max_age`, old recordings are found too; with `against`, registered versions that differ from those at a git
    ref.

    Raises NothingFoundError where there is no contract at all.
    """
    broken: list[ContractTestError] = []
    findings: list[Finding] = []
    try:
        catalog = load_catalog(root, broken)
    except NothingFoundError:
        raise
    except ContractTestError as error:
        catalog = None
        broken.append(error)
    for each in broken:
        file, _, pointer = each.place.partition(":")
        rule = "catalog" if isinstance(each, CatalogError) else "schema"
        line, problem = re.fullmatch("([0-9]+)(?::([0-9]+))?", pointer), each.problem
        if line:  # of a text that is no JSON or TOML
            pointer, problem = "", f"{problem} (column {line[2]})" if line[2] else problem
        position = Position(int(line[1]), int(line[2] or 1)) if line else None
        findings.append(
            Finding(file, pointer, rule, problem, each.advice, line=int(line[1]) if line else 0, position=position)
        )
    findings += check_scrub_key(root)
    if catalog is not None:
        findings += _names(catalog)
        findings += _distinguishable(catalog)
        findings += _address_clashes(catalog)
        findings += check_owners(catalog)
        findings += check_lock(catalog)
        findings += check_registered(catalog)
        for contract in catalog.contracts:
            findings += check_contract(contract)
            findings += check_recording(contract, catalog)
        if max_age is not None:
            findings += old_recordings(catalog.contracts, catalog, max_age)
    if against is not None:
        findings += check_against(root, against)
    return sorted((each.within(root) for each in findings), key=lambda each: each.severity != "error")


def check_contract(contract: Contract) -> Iterator[Finding]:
    """Yield the findings of one schema. Rules that only warn run if the schema is valid."""
    file = str(contract.path)
    references = References(contract.resources, contract.uri)
    if is_no_schema(contract.schema, references.draft):
        sentence = f"not a schema: it holds no keyword of {references.draft} that describes a message"
        advice = "Write `type` and `properties`; or run `contract-test infer` to get a schema from messages."
        yield Finding(file, "", "schema-invalid", sentence, advice)
        return
    try:
        compile_schema(contract.resources, f"{contract.uri}#")
    except ValueError as error:
        yield Finding(file, *_invalid_schema(error, references.draft))
        return
    yield from _unsatisfiable(contract)
    yield from _sensitivities(contract)
    yield from check_patterns(contract)
    yield from _examples(contract, references)
    for pointer, rule, sentence, advice in remarks(contract.schema, contract.uri, references.draft):
        yield Finding(file, pointer, rule, sentence, advice, "warning")


def _invalid_schema(error: ValueError, draft: str) -> tuple[str, str, str, str]:
    """Return the pointer, the rule, the problem and the advice for a schema that is invalid."""
    cause, rule, advice = error.__cause__, "schema-invalid", f"Write it as {draft} asks for."
    if not isinstance(cause, jsonschema_rs.ValidationError):
        return "", rule, str(error).partition("\n")[0], advice
    pointer = "".join(f"/{escape(str(step))}" for step in cause.instance_path)
    if cause.instance_path[-1:] == ["type"]:
        return (
            pointer,
            rule,
            f"{json.dumps(cause.instance)[:60]} is not a type of JSON Schema",
            f"Use one of: {', '.join(_TYPES)}.",
        )
    return pointer, rule, cause.message[:200], advice


def _sensitivities(contract: Contract) -> Iterator[Finding]:
    """Yield a finding for each `x-sensitivity` that is none of the known words, in every file of the contract."""
    for uri, resource in contract.resources.items():
        for pointer, node, _ in subschemas(resource, uri, draft_of(resource)):
            if ANNOTATION in node and node[ANNOTATION] not in SENSITIVITIES:
                place = "" if uri == contract.uri else f" (in {uri}#{pointer})"
                sentence = f"{json.dumps(node[ANNOTATION])[:60]} is no {ANNOTATION}, so the values are masked{place}"
                inside = "" if place else f"{pointer}/{ANNOTATION}"
                advice = f"Use one of: {', '.join(SENSITIVITIES)}."
                yield Finding(str(contract.path), inside, "sensitivity-unknown", sentence, advice)


def _unsatisfiable(contract: Contract) -> Iterator[Finding]:
    """Yield a finding where no message is valid, and a warning where no value is that a producer may send."""
    bundled = bundle(contract.resources, contract.uri, ASSERTED_FORMATS)
    advice = "Check `type`, `required` and `enum`. Two of them contradict each other."
    for pointer in empty_places(bundled.schema, bundled.resources, SECONDS_FOR_EMPTINESS):
        uri, inside = bundled.file_of(pointer)
        if uri not in (None, contract.uri):
            inside, where = "", f"at {uri}#{inside}"
        elif inside:
            where = "here"
        else:
            yield Finding(str(contract.path), "", "accepts-nothing", "no message is valid", advice)
            return
        sentence = f"no value is valid {where}, so a producer cannot send it, and compat cannot compare it"
        yield Finding(str(contract.path), inside, "accepts-nothing", sentence, advice, "warning")


def _examples(contract: Contract, references: References) -> Iterator[Finding]:
    for pointer, node, _ in subschemas(contract.schema, contract.uri, references.draft):
        examples = node.get("examples")
        values = [(f"{pointer}/examples/{place}", value, "example") for place, value in enumerate(
            examples if isinstance(examples, list) else ())]  # fmt: skip
        if "default" in node:
            values.append((f"{pointer}/default", node["default"], "default"))
        if not values:
            continue
        validator = compile_schema(contract.resources, references.inside_document(contract.uri, pointer))
        for place, value, kind in values:
            violation = find_violation(validator, value)
            if violation is not None:
                sentence = f"the {kind} is invalid under its own schema at {violation}"
                yield Finding(
                    str(contract.path), place, f"{kind}-invalid", sentence, "Correct it, or the schema.", "warning"
                )


def _names(catalog: Catalog) -> Iterator[Finding]:
    registered: dict[str, set[int]] = defaultdict(set)
    for name, version in read_lock(catalog.root):
        registered[name].add(version)
    for subject in catalog.subjects.values():
        folder = subject.newest.path.parent
        if not _SUBJECT.fullmatch(subject.name):
            wanted = usable_subject(snake_case(subject.name).replace("_", "."))
            advice = f"Use lower-case words with dots between, such as {wanted}."
            yield Finding(str(folder), "", "subject-name", f"{subject.name!r} is not a valid subject name", advice)
        elif usable_subject(subject.name) != subject.name:
            sentence = f"no class can be named after the subject {subject.name!r}"
            advice = f"Use another name, such as {usable_subject(subject.name)}."
            yield Finding(str(folder), "", "subject-name", sentence, advice)
        if subject.channel is None:
            advice = f'Add channel = "NAME" to [subjects."{subject.name}"].'
            sentence = f"{subject.name} has no channel, so it can be neither encoded nor recorded"
            place = f'[subjects."{subject.name}"]'
            yield Finding(str(catalog.root / "catalog.toml"), place, "no-channel", sentence, advice, "warning")
        yield from _gap(subject, folder, registered[subject.name])
        yield from _pointers(catalog, subject)


def _gap(subject: Subject, folder: Path, registered: Collection[int]) -> Iterator[Finding]:
    """Yield a finding for the first missing version. Unreadable and registered ones have their own findings."""
    known = {*subject.contracts, *registered}
    for expected in range(1, max(known)):
        if expected not in known and not (folder / f"v{expected}.json").exists():
            later = min(version for version in known if version > expected)
            advice = f"Rename v{later}.json to v{expected}.json."
            if later in registered:
                advice = (
                    f"Restore v{expected}.json, or remove v{later} from {LOCK} if nobody uses it, and rename the file."
                )
            yield Finding(
                str(folder),
                "",
                "version-gap",
                f"v{expected} is missing. Versions are numbered 1, 2, 3 … without gaps",
                advice,
            )
            return


def _distinguishable(catalog: Catalog) -> Iterator[Finding]:
    """Yield the channels on which the subject of a message cannot be determined."""
    file, rule = str(catalog.root / "catalog.toml"), "subjects-not-told-apart"
    for channel in catalog.channels.values():
        here = [subject for subject in catalog.subjects.values() if channel in subject.all_channels]
        names, place = ", ".join(subject.name for subject in here), f"[channels.{channel.name}]"
        if len(here) > 1 and channel.codec == "json" and channel.type is None:
            sentence = f"the subjects {names} cannot be distinguished, because the codec json carries no type"
            advice = (
                'Add type = "/POINTER" to the channel, to the field that holds the subject\'s name (or its `type`), '
                "or give each subject a channel of its own."
            )
            yield Finding(file, place, rule, sentence, advice)
        for subject in here if channel.codec == "confluent" else ():
            without = [f"v{version}" for version in subject.contracts if version not in subject.schema_ids]
            if without:
                sentence = f"{subject.name} has no schema id of {', '.join(without)}: no message of it can be written"
                sentence += (
                    ", or be distinguished from those of the other subjects on the channel" if len(here) > 1 else ""
                )
                advice = "Add schema_ids = { 1 = ID }, with the registry's id of each version."
                severity = "error" if len(here) > 1 else "warning"
                place = f'[subjects."{subject.name}"]'
                yield Finding(file, place, "no-schema-id", sentence, advice, severity)
        words = Counter(word for subject in here for word in {subject.name, subject.type or subject.name})
        for word in (word for word, count in words.items() if count > 1):
            sentence = f"more than one subject has the type {word!r}"
            yield Finding(file, place, rule, sentence, "Give each subject of a channel a `type` of its own.")


def _address_clashes(catalog: Catalog) -> Iterator[Finding]:
    """Yield the pairs of channels between which the messages at an address cannot be distinguished."""
    file = str(catalog.root / "catalog.toml")
    for one, other in combinations(catalog.channels.values(), 2):
        if one.protocol != other.protocol:
            continue
        if one.is_pattern and other.is_pattern and patterns_overlap(one.address, other.address):
            sentence = f"{one.address} and {other.address} (channel {one.name}) can match the same address"
            advice = "Make the patterns narrower, so that each address belongs to one channel."
            yield Finding(file, f"[channels.{other.name}].address", "addresses-overlap", sentence, advice)
        elif one.address == other.address and _reads_otherwise(one, other):
            sentence = f"the address {one.address} is that of the channel {one.name} too, which reads it otherwise"
            advice = "Give both the same codec, mode and type; or leave one out. Different servers may need both."
            yield Finding(file, f"[channels.{other.name}].address", "address-clash", sentence, advice, "warning")


def _reads_otherwise(one: Channel, other: Channel) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in ("codec", "mode", "type", "extensions"))


def patterns_overlap(one: str, other: str) -> bool:
    """Return True if two addresses with `*` match a common address."""
    reachable = {(0, 0)}
    pending = [(0, 0)]
    while pending:
        i, j = pending.pop()
        steps = set()
        if one[i : i + 1] == "*":
            steps |= {(i + 1, j), *([(i, j + 1)] if j < len(other) and other[j] != "*" else [])}
        if other[j : j + 1] == "*":
            steps |= {(i, j + 1), *([(i + 1, j)] if i < len(one) and one[i] != "*" else [])}
        if i < len(one) and j < len(other) and one[i] == other[j] != "*":
            steps.add((i + 1, j + 1))
        pending += steps - reachable
        reachable |= steps
    return (len(one), len(other)) in reachable


def _pointers(catalog: Catalog, subject: Subject) -> Iterator[Finding]:
    """Yield the catalog's pointers that point to no field of the newest version, or `volatile` ones to none of any."""
    fields = {version: Fields(each.resources, each.uri) for version, each in subject.contracts.items()}
    newest = subject.newest.version
    named = [(name, getattr(subject, name)) for name in ("key", "id", "time", "version", "caused_by")]
    for name, pointer in (*named, *(("volatile", each) for each in subject.volatile)):
        if pointer is None or not pointer.startswith("/"):
            continue
        nowhere = [version for version, each in fields.items() if not each.leads_to(pointer)]
        if nowhere == list(fields) if name == "volatile" else newest in nowhere:
            versions = ", ".join(f"v{version}" for version in nowhere)
            yield Finding(
                f"{catalog.root / 'catalog.toml'}",
                f'[subjects."{subject.name}"].{name}',
                "pointer-nowhere",
                f"{name}: {pointer} points to no field in the schema of {versions}",
                "Correct the pointer, declare the field, or leave the row out.",
                "warning",
            )
