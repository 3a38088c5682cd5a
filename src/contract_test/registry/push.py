"""What would be registered, and registering it: locked versions only, in their order, each once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Literal

from contract_test.data.contract import Catalog
from contract_test.data.errors import CatalogError, ContractTestError, SchemaError
from contract_test.data.finding import Finding
from contract_test.registry.catalog_rows import write_schema_ids
from contract_test.registry.client import CONFLICT, UNPROCESSABLE, RefusedError, Registered, Registry
from contract_test.registry.documents import document_of
from contract_test.registry.draft_07 import LATER_DRAFTS
from contract_test.registry.naming import Naming
from contract_test.registry.result import RegistryResult, Status, Step
from contract_test.registry.survey import Copy, SubjectCopies, step_of, survey
from contract_test.schema.walk import draft_of

NewMode = Literal["NONE", "catalog"]
_DRAFT_07 = "--draft-07 registers a draft-07 form that is proved equal. "
_MODE_NONE = "--set-mode NONE has the registry refuse nothing, so that `contract-test compat` decides."


class Push:
    """One run of plan or push. With a `new_mode`, subjects get NONE or the mode of the catalog."""

    def __init__(
        self,
        registry: Registry,
        catalog: Catalog,
        chosen: Collection[str],
        naming: Naming,
        *,
        draft_07: bool,
        new_mode: NewMode | None,
    ) -> None:
        self._registry, self._catalog = registry, catalog
        self._draft_07, self._new_mode = draft_07, new_mode
        self._survey = survey(registry, catalog, chosen, naming)
        self.findings = self._survey.findings
        self.steps: list[Step] = []

    def plan(self) -> RegistryResult:
        """Return what a push would do. Nothing is changed."""
        for subject in self._survey.subjects:
            fresh = self._fresh(subject)
            self.steps += [self._step(subject, copy, fresh) for copy in subject.copies]
            for copy in fresh:
                self._look_ahead(subject, copy, is_next=copy is fresh[0])
        return self._result("plan")

    def push(self) -> RegistryResult:
        """Register what is new. The ids of a subject are written as soon as the subject is done."""
        for subject in self._survey.subjects:
            fresh = self._fresh(subject)
            try:
                self._register(subject, fresh)
            finally:
                done = [each for each in fresh if each.registered]
                self.steps += [self._step(subject, copy, done) for copy in subject.copies]
                ids = {each.contract.version: each.registered.id for each in subject.copies if each.registered}
                if new := {key: value for key, value in ids.items() if key not in subject.subject.schema_ids}:
                    write_schema_ids(self._catalog.root, {subject.subject.name: new})
        return self._result("push")

    def _result(self, command: str) -> RegistryResult:
        self.findings += _shared_ids([copy for each in self._survey.subjects for copy in each.copies])
        has_new = any(each.status == "new" and each.id is not None for each in self.steps)
        notes = ["schema_ids in the catalog has new ids. Run `contract-test generate`"] if has_new else []
        return RegistryResult(f"registry {command}", self._registry.url, self.steps, self.findings, notes)

    def _fresh(self, subject: SubjectCopies) -> list[Copy]:
        """Return the versions to register: up to the first that is not locked, and none if something is wrong."""
        problems = list(_problems(subject))
        self.findings += problems
        fresh: list[Copy] = []
        for copy in subject.copies:
            if problems or not copy.is_locked:
                break
            if copy.registered is None:
                fresh.append(copy)
        return fresh

    def _new_mode_of(self, subject: SubjectCopies) -> str:
        wanted = subject.subject.compatibility if self._new_mode == "catalog" else self._new_mode or ""
        return "" if wanted == subject.mode else wanted

    def _step(self, subject: SubjectCopies, copy: Copy, fresh: Collection[Copy]) -> Step:
        status: Status = "new" if copy in fresh else "registered" if copy.registered else "not pushed"
        note = "" if copy.is_locked else "not in contracts.lock"
        return replace(step_of(subject, copy, status), new_mode=self._new_mode_of(subject), note=note)

    def _look_ahead(self, subject: SubjectCopies, copy: Copy, *, is_next: bool) -> None:
        """Add what a push would find. Only of the next version a registry can be asked before it has the others."""
        try:
            document = document_of(self._catalog, copy.contract, draft_07=self._draft_07)
            if is_next and subject.newest and "NONE" not in (subject.mode, self._new_mode):
                body = document.body(self._survey.located)
                why = self._registry.refusal(subject.name, subject.newest, body, _what(subject, copy))
                if why:
                    sentence = f"the registry would refuse it as {subject.name} in mode {subject.mode}: {why}"
                    self.findings.append(finding_of(copy, "registry-refuses", sentence, _MODE_NONE))
            elif is_next and "NONE" not in (subject.mode, self._new_mode) and draft_of(document.schema) in LATER_DRAFTS:
                sentence = f"the mode of new subjects is {subject.mode}, and not every registry can judge its draft"
                advice = f"Choose before the first version is registered. {_DRAFT_07}{_MODE_NONE}"
                self.findings.append(finding_of(copy, "registry-draft", sentence, advice, "warning"))
        except (CatalogError, SchemaError, RefusedError) as error:
            self.findings.append(self._failed(subject, copy, error))

    def _failed(self, subject: SubjectCopies, copy: Copy, error: ContractTestError) -> Finding:
        if not isinstance(error, RefusedError):
            return finding_of(copy, "registry-no-form", f"it cannot be registered: {error.problem}", error.advice)
        sentence = f"as {subject.name} in mode {subject.mode}: {error.problem}"
        if error.status == UNPROCESSABLE:
            advice = (
                "Register a schema that it accepts. Some want a $schema in it. `contract-test lint` checks schemas."
            )
            return finding_of(copy, "registry-refuses", sentence, advice)
        if error.status == CONFLICT:
            return finding_of(copy, "registry-refuses", sentence, _MODE_NONE)
        # A draft-07 form is of no use beside versions in a later draft: the registry cannot read those either.
        form = "" if self._draft_07 or any(each.registered for each in subject.copies) else _DRAFT_07
        return finding_of(copy, "registry-fails", f"{sentence}. It may not know this draft", f"{form}{_MODE_NONE}")

    def _register(self, subject: SubjectCopies, fresh: list[Copy]) -> None:
        new_mode = self._new_mode_of(subject)
        if new_mode == "NONE" and subject.exists:
            self._set_mode(subject, new_mode)
        for copy in fresh:
            try:
                document = document_of(self._catalog, copy.contract, draft_07=self._draft_07)
                body = document.body(self._survey.located)
                number = self._registry.register(subject.name, body, _what(subject, copy))
            except (CatalogError, SchemaError, RefusedError) as error:
                self.findings.append(self._failed(subject, copy, error))
                return
            version = max(self._registry.versions(subject.name), default=1)
            copy.registered = Registered(subject.name, version, number, "JSON", "", ())
            if new_mode == "NONE" != subject.mode:  # Apicurio has no mode of a subject without a version
                self._set_mode(subject, new_mode)
        if new_mode not in ("", subject.mode) and any(each.registered for each in subject.copies):
            self._set_mode(subject, new_mode)

    def _set_mode(self, subject: SubjectCopies, mode: str) -> None:
        self._registry.set_mode(subject.name, mode)
        subject.mode = mode


def finding_of(copy: Copy, rule: str, sentence: str, advice: str, severity: str = "error") -> Finding:
    """Return a finding about a version, at its file."""
    return Finding(str(copy.contract.path), "", rule, sentence, advice, severity)


def _problems(subject: SubjectCopies) -> Iterator[Finding]:
    """Yield why nothing may be registered under a subject."""
    is_earlier = False
    for copy in reversed(subject.copies):
        found = copy.registered
        if copy.is_changed:
            yield finding_of(copy, "registered-version-changed", "it is not what contracts.lock holds", "Restore it.")
        known = subject.subject.schema_ids.get(copy.contract.version)
        if known is not None and known != (found.id if found else None):
            has = f"{subject.name} version {found.version} has the id {found.id}" if found else "it is not registered"
            sentence = f"the catalog has the schema id {known} for it, but in this registry {has}"
            advice = "Is it the right registry? If so, remove the id from schema_ids in catalog.toml."
            yield finding_of(copy, "registry-id-differs", sentence, advice)
        if is_earlier and found is None and copy.is_locked:
            sentence = f"a later version is registered as {subject.name} already: this one would become the newest"
            advice = "Make it the next version in git, too, or remove the later one from the registry."
            yield finding_of(copy, "registry-order", sentence, advice)
        is_earlier = is_earlier or found is not None
    for each in subject.unknown if any(copy.registered is None for copy in subject.copies) else ():
        sentence = f"{subject.name} version {each.version} in the registry has no version in git"
        advice = "Add it to git first. `contract-test registry pull` into another directory writes it."
        yield finding_of(subject.copies[-1], "registry-version-unknown", sentence, advice)


def _shared_ids(copies: list[Copy]) -> Iterator[Finding]:
    """Yield the subjects that have one id, because they have the same content: no reader can distinguish them."""
    subjects: dict[int, Copy] = {}
    for copy in copies:
        if copy.registered:
            other = subjects.setdefault(copy.registered.id, copy).contract
            if other.subject != copy.contract.subject:
                sentence = f"it has the same content as {other.name}, so that both have the id {copy.registered.id}"
                yield finding_of(
                    copy, "registry-id-shared", sentence, "Give the schemas titles that differ.", "warning"
                )


def _what(subject: SubjectCopies, copy: Copy) -> str:
    return f"{copy.contract.name} as {subject.name}"
