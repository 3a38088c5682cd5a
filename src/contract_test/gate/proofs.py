"""Proofs: whether a reader's contract accepts every message of a writer's, and which message it rejects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from contract_test.compare import compare
from contract_test.data.contract import Contract
from contract_test.data.errors import InvalidSchemaError
from contract_test.data.verdict import ABSENT, Verdict
from contract_test.files.lock import digest
from contract_test.files.proof_cache import ProofCache, key_of
from contract_test.schema.bundle import Bundle, bundle
from envelopes.validation import ASSERTED_FORMATS, CompiledSchema, compile_schema, find_violation


@dataclass(frozen=True)
class Proof:
    """The result of one comparison. An incompatible one has a witness, and `rejected` says where and why."""

    status: Literal["compatible", "incompatible", "unknown"]
    rule: str = ""
    sentence: str = ""
    witness: Any = ABSENT
    pointer: str = ""
    rejected: str = ""


class Proofs:
    """Compares contracts, each pair once; what was proved stays in the cache on disk."""

    def __init__(self, cache: ProofCache, budget: float = 2.0) -> None:
        self._cache, self._budget = cache, budget
        self._known: dict[tuple[str, str], Proof] = {}
        self._bundles: dict[str, Bundle] = {}
        self._validators: dict[str, CompiledSchema] = {}
        self._digests: dict[int, str] = {}

    def compare(self, writer: Contract, reader: Contract) -> Proof:
        """Return whether the reader accepts every message of the writer."""
        pair = self._digest(writer), self._digest(reader)
        if pair not in self._known:
            self._known[pair] = self._compared(writer, reader, pair)
        return self._known[pair]

    def all_reject(self, readers: Iterable[Contract], message: Any) -> bool:
        """Return whether each of some contracts rejects a message."""
        try:
            return not any(self._validator(each).is_valid(message) for each in readers)
        except ValueError:
            return True

    def _digest(self, contract: Contract) -> str:
        if id(contract) not in self._digests:
            self._digests[id(contract)] = digest(contract)
        return self._digests[id(contract)]

    def _compared(self, writer: Contract, reader: Contract, pair: tuple[str, str]) -> Proof:
        if pair[0] == pair[1] and not writer.sends_undeclared:
            return Proof("compatible", sentence="it is the same contract")
        model = "open-where-true" if writer.sends_undeclared else "closed-writer"
        key = key_of("gate 1", *pair, model, "assertion")
        kept = self._cache.get(key)
        if kept is not None:
            proof = Proof(**kept)
            if proof.status == "compatible" or self._is_confirmed(proof, writer, reader):
                return proof
        proof = self._made(writer, reader, model)
        if proof.status != "unknown":  # more time may decide it
            self._cache.put(key, {name: value for name, value in asdict(proof).items() if value is not ABSENT})
        return proof

    def _made(self, writer: Contract, reader: Contract, model: str) -> Proof:
        ours = self._bundle(reader)
        theirs = self._bundle(writer).beside(ours)
        try:
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

    def _explained(self, verdict: Verdict, reader: Contract) -> Proof:
        reason = verdict.incompatibilities[0] if verdict.incompatibilities else None
        witness = reason.witness if reason is not None and reason.witness is not ABSENT else verdict.witness
        try:
            violation = find_violation(self._validator(reader), witness)
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

    def _is_confirmed(self, proof: Proof, writer: Contract, reader: Contract) -> bool:
        """Whether the witness of a kept proof is one: the writer accepts it, and the reader rejects it."""
        if proof.witness is ABSENT:
            return False
        try:
            return self._validator(writer).is_valid(proof.witness) and not self._validator(reader).is_valid(
                proof.witness
            )
        except ValueError:
            return False

    def _bundle(self, contract: Contract) -> Bundle:
        key = self._digest(contract)
        if key not in self._bundles:
            self._bundles[key] = bundle(contract.resources, contract.uri, ASSERTED_FORMATS)
        return self._bundles[key]

    def _validator(self, contract: Contract) -> CompiledSchema:
        key = self._digest(contract)
        if key not in self._validators:
            made = self._bundle(contract)
            resources = made.resources or {contract.uri: made.schema}
            self._validators[key] = compile_schema(resources, f"{contract.uri}#")
        return self._validators[key]
