"""A contracts directory made of a registry. Nothing that is there already is changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from contract_test.data.compatibility_modes import MODES
from contract_test.data.contract import Catalog
from contract_test.data.errors import NothingFoundError, SchemaError
from contract_test.data.finding import Finding
from contract_test.files.additions import schema_text
from contract_test.files.catalog import load_catalog
from contract_test.files.lock import register, unregistered
from contract_test.files.schemas import SchemaFiles
from contract_test.files.state import write_whole
from contract_test.files.toml import read_toml
from contract_test.registry.catalog_rows import write_rows
from contract_test.registry.client import Registered, Registry
from contract_test.registry.documents import content_key, parsed
from contract_test.registry.naming import KEY, Naming, directory_name, registry_names, topic_and_record
from contract_test.registry.result import RegistryResult, Status, Step
from contract_test.registry.survey import read_versions
from contract_test.schema.walk import draft_of, join, subschemas
from envelopes.validation import compile_schema

JSON = "JSON"


@dataclass
class _Subject:
    """A subject of the registry, the directory that it gets, and its rows in the catalog."""

    name: str
    directory: str
    topic: str
    record: str
    versions: dict[int, Registered] = field(default_factory=dict)


class Pull:
    """One run of pull into a directory, which may be new."""

    def __init__(self, registry: Registry, root: Path, naming: Naming) -> None:
        self._registry, self._root, self._naming = registry, root, naming
        self._catalog = load_catalog(root) if any(root.glob("*/v*.json")) else Catalog(root, {}, {})
        self._known = {
            name: each.name for each in self._catalog.subjects.values() for name in registry_names(each, naming)
        }
        self._subjects: dict[str, _Subject] = {}
        self._ids: dict[str, dict[str, int]] = {}
        self._modes: dict[str, str] = {}
        self.steps: list[Step] = []
        self.findings: list[Finding] = []

    def pull(self) -> RegistryResult:
        """Read the whole registry, then write what is not in the directory yet."""
        found = {name: read_versions(self._registry, name) for name in self._registry.subjects()}
        if not found:
            advice = "Check the address, and whether the credentials may read subjects."
            raise NothingFoundError("the registry has no subjects", place=self._registry.url, advice=advice)
        self._choose(found)
        self._modes = {name: self._registry.mode(name) for name in self._subjects}
        with tempfile.TemporaryDirectory() as folder:
            schemas = self._usable(Path(folder))
        for (name, version), schema in schemas.items():
            self._write(self._subjects[name], self._subjects[name].versions[version], schema)
        self._write_catalog()
        return RegistryResult("registry pull", self._registry.url, self.steps, self.findings)

    def _choose(self, found: Mapping[str, list[Registered]]) -> None:
        """Choose the subjects by their names, and those that they refer to."""
        pending = {name: self._named(name, versions) for name, versions in found.items()}
        wanted = [name for name, named in pending.items() if named]
        while wanted:
            name = wanted.pop()
            if name in self._subjects or not any(each.kind == JSON for each in found.get(name, ())):
                continue
            topic, record = pending[name] or ("", name)
            directory = self._known.get(name) or directory_name(record)
            if directory is None or directory.casefold() in {
                each.directory.casefold() for each in self._subjects.values()
            }:
                sentence = (
                    f"subject {name!r} of the registry has no directory of its own: {directory or 'no usable name'}"
                )
                self._find(name, "registry-name-unusable", sentence, "Rename it, or pull with another --naming.")
                continue
            own = {each.version: each for each in found[name] if each.kind == JSON}
            self._subjects[name] = _Subject(name, directory, topic, record, own)
            wanted += [reference.subject for each in own.values() for reference in each.references]
        self._subjects = dict(sorted(self._subjects.items()))
        for name, versions in found.items():
            why = f"not named by {self._naming}" if pending[name] is None else ""
            for each in versions:
                if each.kind != JSON or name not in self._subjects:
                    note = each.kind if each.kind != JSON else why
                    self.steps.append(Step("", name, "left", each.version, each.id, note=note))

    def _named(self, name: str, versions: list[Registered]) -> tuple[str, str] | None:
        if self._naming != "record" and name.endswith(KEY):
            return None
        title = None
        for each in versions:
            if each.kind == JSON:
                schema = _parsed_or_none(each)
                title = schema.get("title") if isinstance(schema, dict) else title
        return topic_and_record(name, self._naming, title)

    def _usable(self, folder: Path) -> dict[tuple[str, int], Any]:
        """Return the schemas that can be read and compiled with nothing but each other, by subject and version."""
        schemas: dict[tuple[str, int], Any] = {}
        for subject in self._subjects.values():
            for each in subject.versions.values():
                try:
                    schemas[subject.name, each.version] = self._with_paths(parsed(each), each)
                except SchemaError as error:
                    self._leave(each, error.problem)
        paths = {key: folder / self._subjects[key[0]].directory / f"v{key[1]}.json" for key in schemas}
        for key, path in paths.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(schema_text(schemas[key]), encoding="utf-8")
        while broken := list(_broken(folder, {key: paths[key] for key in schemas})):
            for key, problem in broken:
                paths[key].unlink()
                del schemas[key]
                self._leave(self._subjects[key[0]].versions[key[1]], problem)
        return schemas

    def _with_paths(self, schema: Any, registered: Registered) -> Any:
        """Return a schema that refers to other files by their paths in the directory."""
        targets = {each.name: each for each in registered.references}
        draft = draft_of(schema, f"{registered.subject} version {registered.version}")
        for _, node, at in list(subschemas(schema, "", draft)):
            reference = node.get("$ref")
            if not isinstance(reference, str):
                continue
            target = targets.get(urldefrag(reference).url) or targets.get(urldefrag(join(at, reference)).url)
            if target and target.subject in self._subjects:
                path = f"../{self._subjects[target.subject].directory}/v{target.version}.json"
                node["$ref"] = path + (f"#{urldefrag(reference).fragment}" if "#" in reference else "")
        return schema

    def _write(self, subject: _Subject, registered: Registered, schema: Any) -> None:
        own = self._catalog.subjects.get(subject.directory)
        same = [
            each.version for each in (own.contracts.values() if own else ())
            if content_key(each.schema) == content_key(schema)
        ]  # fmt: skip
        number = same[0] if same else registered.version
        name = f"{subject.directory} v{number}"
        if own and not same and number in own.contracts:
            sentence = f"{name} in git is another schema than {subject.name} version {number} in the registry"
            self._find(subject.name, "registry-version-differs", sentence, "Decide which of them is right.", number)
            return
        if not same:
            write_whole(self._root / subject.directory / f"v{number}.json", [schema_text(schema).rstrip("\n").encode()])
        self._ids.setdefault(subject.name, {})[str(number)] = registered.id
        status: Status = "unchanged" if same else "pulled"
        self.steps.append(Step(name, subject.name, status, registered.version, registered.id))

    def _write_catalog(self) -> None:
        described = read_toml(self._root / "catalog.toml").get("subjects", {})
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for name, ids in self._ids.items():
            subject = self._subjects[name]
            row: dict[str, Any] = {}
            if subject.directory not in described:
                if subject.topic:
                    channel = self._channel(subject.topic)
                    rows["channels", channel] = {"protocol": "kafka", "address": subject.topic, "codec": "confluent"}
                    row["channel"] = channel
                if subject.record != subject.directory and self._naming != "topic":
                    row["type"] = subject.record
                if self._modes[name] in MODES and self._modes[name] != "NONE":
                    row["compatibility"] = self._modes[name]
            rows["subjects", subject.directory] = {**row, "schema_ids": ids}
        write_rows(self._root, rows)
        if rows:
            catalog = load_catalog(self._root)
            pulled = {step.contract for step in self.steps if step.status in ("pulled", "unchanged")}
            own = {each.subject for each in unregistered(catalog) if each.name not in pulled}
            register(catalog, [name for section, name in rows if section == "subjects" and name not in own])

    def _channel(self, topic: str) -> str:
        same = [each.name for each in self._catalog.channels.values() if each.address == topic]
        return same[0] if same else topic

    def _leave(self, registered: Registered, problem: str) -> None:
        sentence = f"subject {registered.subject!r} version {registered.version} cannot be used: {problem}"
        advice = "It is left out. Register a version that can be read, or delete this one."
        self._find(registered.subject, "registry-schema-unreadable", sentence, advice, registered.version)
        self.steps.append(Step("", registered.subject, "left", registered.version, registered.id))

    def _find(self, subject: str, rule: str, sentence: str, advice: str, version: int = 0) -> None:
        key = f"{rule}:{subject}" + (f":v{version}" if version else "")
        self.findings.append(Finding(str(self._root), "", rule, sentence, advice, key=key))


def _parsed_or_none(registered: Registered) -> Any:
    try:
        return parsed(registered)
    except SchemaError:
        return None


def _broken(folder: Path, paths: Mapping[tuple[str, int], Path]) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield the schemas that cannot be used, and why. References reach only files in the folder."""
    files = SchemaFiles(folder)
    for key, path in paths.items():
        try:
            compile_schema(files.reach(path), f"{files.uri_of(path)}#")
        except SchemaError as error:
            yield key, error.problem
        except ValueError as error:
            yield key, f"it is no valid JSON Schema: {str(error).splitlines()[0][:200]}"
