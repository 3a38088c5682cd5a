"""Proofs: whether a reader's contract accepts every message of a writer's, and which message it rejects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from contract_test.data.contract import Contract
from contract_test.data.errors import InvalidSchemaError
from contract_test.data.verdict import ABSENT, Verdict
from contract_test.files.proof_cache import ProofCache, key_of
from contract_test.gate.past_contracts import PastContracts
from contract_test.schema.bundle import Bundle, bundle
from envelopes.validation import ASSERTED_FORMATS, CompiledSchema, compile_schema, find_violation


@dataclass(frozen=True, order=True)
class Written:
    """A version of a subject, by the digest of its content; "" if that is not known."""

    subject: str
    version: int
    digest: str = ""


@dataclass(frozen=True)
class Proof:
    """The result of one comparison. An incompatible one has a witness, and `rejected` says where and why.

    It is missing if git's history does not hold one of the schemas; `sentence` says which.
    """

    status: Literal["compatible", "incompatible", "unknown", "missing"]
    rule: str = ""
    sentence: str = ""
    witness: Any = ABSENT
    pointer: str = ""
    rejected: str = ""


class Proofs:
    """Compares contracts, each pair once; what was proved stays in the cache on disk.

    A schema is read only where the cache does not know the pair. `open_subjects` are those whose senders send
    undeclared fields.
    """

    def __init__(
        self, cache: ProofCache, contracts: PastContracts, budget: float = 2.0, open_subjects: Iterable[str] = ()
    ) -> None:
        self._cache, self._contracts, self._budget = cache, contracts, budget
        self._open = frozenset(open_subjects)
        self._known: dict[tuple[Written, Written | None], Proof] = {}
        self._bundles: dict[Written, Bundle] = {}
        self._validators: dict[Written, CompiledSchema] = {}

    def compare(self, writer: Written, reader: Written | None) -> Proof:
        """Return whether the reader accepts every message of the writer; None accepts no message at all."""
        pair = writer, reader
        if pair not in self._known:
            self._known[pair] = self._compared(writer, reader)
        return self._known[pair]

    def all_reject(self, readers: Iterable[Written], message: Any) -> bool:
        """Return whether each of some contracts rejects a message."""
        try:
            return not any(self._validator(each).is_valid(message) for each in readers)
        except ValueError:
            return True

    def _compared(self, writer: Written, reader: Written | None) -> Proof:
        model = "open-where-true" if writer.subject in self._open else "closed-writer"
        if reader is not None and writer.digest == reader.digest and model == "closed-writer":
            return Proof("compatible", sentence="it is the same contract")
        key = key_of("gate 2", writer.digest, reader.digest if reader else "", model, "assertion")
        kept = self._cache.get(key) if writer.digest else None
        if kept is not None:
            return Proof(**kept)
        for each in filter(None, (writer, reader)):
            if self._contract(each) is None:
                name = f"{each.subject} v{each.version} ({each.digest[:12] or 'unknown'})"
                return Proof("missing", sentence=f"the schema of {name} is not in git's history")
        proof = self._made(writer, reader, model)
        if proof.status != "unknown":  # more time may decide it
            self._cache.put(key, {name: value for name, value in asdict(proof).items() if value is not ABSENT})
        return proof

    def _made(self, writer: Written, reader: Written | None, model: str) -> Proof:
        from contract_test.compare import compare  # takes long to import, and is not needed for what the cache knows

        ours = self._bundle(reader) if reader else Bundle(schema=False)
        try:
            theirs = self._bundle(writer).beside(ours)
            verdict = compare(
                theirs.schema,
                ours.schema,
                formats="assertion",
                content_model=model,  # type: ignore[arg-type] # one of its literals
                budget=self._budget,
                resources={**theirs.resources, **ours.resources},
            )
        except InvalidSchemaError as error:
            return Proof("unknown", sentence=error.problem)
        if verdict.status != "incompatible":
            return Proof(verdict.status, sentence=verdict.cause)
        return self._explained(verdict, reader)

    def _explained(self, verdict: Verdict, reader: Written | None) -> Proof:
        reason = verdict.incompatibilities[0] if verdict.incompatibilities else None
        witness = reason.witness if reason is not None and reason.witness is not ABSENT else verdict.witness
        try:
            violation = find_violation(self._validator(reader), witness) if reader else None
        except ValueError:  # a text that no JSON text can carry
            violation = None
        return Proof(
            "incompatible",
            reason.rule if reason else "not-included",
            reason.sentence if reason else "",
            witness,
            violation.pointer if violation else "",
            f"{violation.pointer or '(the whole message)'}: expected {violation.expected}, found {violation.found}"
            if violation
            else "",
        )

    def _contract(self, of: Written) -> Contract | None:
        return self._contracts.find(of.subject, of.version, of.digest) if of.digest else None

    def _bundle(self, of: Written) -> Bundle:
        if of not in self._bundles:
            contract = self._contract(of)
            assert contract is not None, "it was found before"
            self._bundles[of] = bundle(contract.resources, contract.uri, ASSERTED_FORMATS)
        return self._bundles[of]

    def _validator(self, of: Written) -> CompiledSchema:
        if of not in self._validators:
            made, contract = self._bundle(of), self._contract(of)
            assert contract is not None, "it was found before"
            resources = made.resources or {contract.uri: made.schema}
            self._validators[of] = compile_schema(resources, f"{contract.uri}#")
        return self._validators[of]
