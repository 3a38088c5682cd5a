"""`compare`: whether a reader accepts every value that a writer may send.

What decides, in this order: equal texts; the solver's proof, or a value that it finds; guided samples;
canonical containment; else unknown, with its cause. A value counts as a witness only once two validators
agree on it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import islice
from random import Random
from typing import Any, Literal

import jsonschema_rs

from contract_test.compare import canonical, sampling
from contract_test.compare.changes import Changes
from contract_test.compare.compiler import Compiler
from contract_test.compare.confirmation import CrossValidator
from contract_test.compare.dialects import dialect_of
from contract_test.compare.differences import Side
from contract_test.compare.documents import Document, UnusableSchemaError, reachable
from contract_test.compare.emptiness import Values, sends_nothing
from contract_test.compare.equivalents import Equivalents
from contract_test.compare.error_reasons import from_errors, reason_for
from contract_test.compare.nodes import CIRCULAR, Pool
from contract_test.compare.reasons import Explainer, Sides
from contract_test.compare.references import with_legal_references
from contract_test.compare.search_result import UNKNOWN, Found
from contract_test.compare.shrinking import shrink
from contract_test.compare.solver import OutOfTimeError, Solver
from contract_test.compare.targeting import Targeting
from contract_test.data.errors import InvalidSchemaError
from contract_test.data.verdict import ABSENT, Verdict
from contract_test.schema.walk import escape

Formats = Literal["annotation", "assertion"]
Resources = Mapping[str, Any]
ContentModel = Literal["as-written", "closed-writer", "open-where-true"]

_NO_TIME = "the time for this pair is spent"
_CORRECT = "Correct the schema at this place."
_NO_MESSAGE = "the writer's schema accepts no message, so there is nothing to compare"
_NO_VALUE = "the writer's schema accepts no value at {}, so what changed there is not compared"
MAX_WITNESSES = 32
_SAMPLES = 500
_SPOT_CHECKS = 2
MIN_SECONDS_FOR_REASONS = 0.15  # seconds
MIN_SECONDS_FOR_LARGE_REASONS = 1.0
MIN_SECONDS_FOR_SHRINKING = 0.2
MIN_SECONDS_FOR_EMPTINESS = 0.5
LARGE = 20_000  # characters of a schema


def compare(
    writer: Any,
    reader: Any,
    *,
    formats: Formats = "assertion",
    content_model: ContentModel = "closed-writer",
    budget: float = 2.0,
    resources: Resources | tuple[Resources, Resources] | None = None,
    newer: Side = "reader",
) -> Verdict:
    """Return whether every value that is valid under `writer` is also valid under `reader`.

    Nothing is ever fetched from the network.

    Args:
        writer: The schema of the side that wrote the data.
        reader: The schema of the side that reads it.
        formats: "assertion" checks the formats that `decode` checks. "annotation" ignores `format`.
        content_model: With "closed-writer", the writer sends only the properties that it declares or requires, and the
            reader ignores others. With "open-where-true", it also sends others where its schema says
            `additionalProperties: true`. With "as-written", both schemas mean what JSON Schema says.
        budget: Processor time in seconds. After that, the verdict is "unknown".
        resources: The schemas that a `$ref` may reach, by URI. Pass two mappings, the writer's and the reader's, if
            one URI stands for two schemas.
        newer: The side that changed. A change is a reason if its message no longer breaks once it is undone there.

    Returns:
        The verdict, with a witness and the reasons if the schemas are incompatible.

    Raises:
        InvalidSchemaError: A schema does not satisfy its own meta-schema.

    """
    deadline = time.thread_time() + budget
    both = resources if isinstance(resources, tuple) else (resources or {}, resources or {})
    at_hand = tuple({uri: _plain(each, f"resource {uri}")[0] for uri, each in side.items()} for side in both)
    sent, sent_text = _plain(writer, "writer")
    read, read_text = _plain(reader, "reader")
    _check(sent, "writer")
    _check(read, "reader")
    if sent_text == read_text and (at_hand[0] == at_hand[1] or "$ref" not in sent_text):
        return Verdict("compatible")
    try:
        comparison = _Comparison(
            (sent, read),
            (at_hand[0], at_hand[1]),
            newer,
            assert_formats=formats == "assertion",
            closed=content_model != "as-written",
            open_where_true=content_model == "open-where-true",
            deadline=deadline,
        )
        return comparison.verdict(deadline)
    except UnusableSchemaError as error:
        return Verdict("unknown", cause=str(error))
    except RecursionError:
        return Verdict("unknown", cause="the schemas are nested too deeply")
    except OutOfTimeError:
        return Verdict("unknown", cause=_NO_TIME)


def _plain(schema: Any, side: str) -> tuple[Any, str]:
    """A copy of a schema in plain JSON types, and its text with sorted keys."""
    try:
        text = json.dumps(schema, sort_keys=True, allow_nan=False)
        return with_legal_references(json.loads(text), text), text
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidSchemaError(
            f"it is not JSON: {error}", side=side, advice="Pass what json.load gives for the schema's file."
        ) from error


def _check(schema: Any, side: str) -> None:
    """Raise `InvalidSchemaError` where a schema breaks its meta-schema.

    A meta-schema that is unknown says nothing.
    """
    if not isinstance(schema, (dict, bool)):
        raise InvalidSchemaError("it is neither an object nor true or false", side=side, advice=_CORRECT)
    if dialect_of(schema) is None:
        return  # nothing is proved of it later; asking for its meta-schema would fetch it
    try:
        jsonschema_rs.meta.validate(schema)
    except jsonschema_rs.ValidationError as error:
        raise _invalid(error, side) from error
    except ValueError:
        return  # nested too deeply to be checked, and to be compared


def _invalid(error: jsonschema_rs.ValidationError, side: str) -> InvalidSchemaError:
    tokens = (escape(str(token)) for token in error.instance_path)
    pointer = "".join("/" + token for token in tokens)
    return InvalidSchemaError(error.message, side=side, pointer=pointer, advice=_CORRECT)


class _Comparison:
    """One writer against one reader, both valid and plain JSON."""

    def __init__(
        self,
        schemas: tuple[Any, Any],
        resources: tuple[Resources, Resources],
        newer: Side,
        *,
        assert_formats: bool,
        closed: bool,
        open_where_true: bool,
        deadline: float,
    ) -> None:
        self.writer, self.reader = schemas
        self.newer: Side = newer
        self.writer_text = json.dumps(self.writer)
        self.assert_formats = assert_formats
        self.closed = closed
        self.pool = Pool()
        equivalents, apart = Equivalents(), resources[0] != resources[1]
        sides = (
            Document(self.writer, "writer", resources[0], equivalents, apart=apart),
            Document(self.reader, "reader", resources[1], equivalents, apart=apart),
        )
        self.solver = Solver(self.pool, deadline)
        in_time = self.solver.in_time
        self.compile_writer = Compiler(
            self.pool, sides[0], assert_formats=assert_formats, closed=closed, open_where_true=open_where_true,
            in_time=in_time,
        )  # fmt: skip
        self.compile_reader = Compiler(self.pool, sides[1], assert_formats=assert_formats, in_time=in_time)
        self.sent = self.compile_writer.root()
        self.read = self.compile_reader.root()
        self.doubt = ""
        try:
            self.writers_judge, self.readers_judge = (
                self._cross_validator(side, reachable(side.schema, side.resources)) for side in sides
            )
            self.judged = True
        except ValueError as error:  # a reference that leads nowhere: proofs may still do, witnesses cannot
            self.judged = False
            self.doubt = f"no validator can read the schemas: {str(error).splitlines()[0]}"

    def _cross_validator(self, side: Document, resources: Mapping[str, Any]) -> CrossValidator:
        try:
            return CrossValidator(side.schema, side.dialect, resources=resources, assert_formats=self.assert_formats)
        except jsonschema_rs.ValidationError as error:
            if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Format):  # a pattern that is no regex
                raise _invalid(error, side.side) from error
            raise

    def verdict(self, deadline: float) -> Verdict:
        """The cascade."""
        if self.sent is self.read and self.sent is not self.pool.nothing:
            return Verdict("compatible")
        if self._is_large and self._changes.are_none:
            return Verdict("compatible")
        found, witness = self._search(deadline)
        if witness is not ABSENT:
            seconds = MIN_SECONDS_FOR_LARGE_REASONS if self._is_large else MIN_SECONDS_FOR_REASONS
            return self._incompatible(witness, max(deadline, time.thread_time() + seconds))
        if (
            found.is_empty
            or self._changes.are_none
            or canonical.covers(self.writer, self.reader, assert_formats=self.assert_formats)
        ):
            empty = self._where_nothing_is_sent() if self.closed else None
            return Verdict("compatible") if empty is None else Verdict("unknown", cause=empty)
        return Verdict("unknown", cause=self._cause(found))

    def _search(self, deadline: float) -> tuple[Found, Any]:
        """What the solver found, and the first value that two validators confirm."""
        started = time.thread_time()
        self.solver.deadline = started + (deadline - started) * 0.7
        if self._is_large and (witness := self._targeted()) is not ABSENT:
            return UNKNOWN, witness
        if not self._is_large:
            self.solver.deadline = started + (deadline - started) * 0.5
        found = self._solve(1)
        witness = self._first_witness(found.values)
        if witness is ABSENT and found.values:
            witness = self._first_witness(self._solve(MAX_WITNESSES).values)
        if witness is ABSENT and not found.is_empty and not self._is_large:
            self.solver.deadline = time.thread_time() + (deadline - time.thread_time()) / 2
            witness = self._targeted()
        if witness is ABSENT:
            self.solver.deadline = time.thread_time() + (deadline - time.thread_time()) / 2
            witness = self._sampled(_SPOT_CHECKS if found.is_empty else _SAMPLES, exhaustive=not found.is_empty)
        return found, witness

    @property
    def _is_large(self) -> bool:
        return len(self.writer_text) > LARGE

    @cached_property
    def _changes(self) -> Changes:
        changes = Changes(
            self.compile_writer.document, self.compile_reader.document, self.newer, formats=self.assert_formats
        )
        changes.all()
        return changes

    def _targeted(self) -> Any:
        """A witness at one of the changed places, where the schemas are too large to be searched as a whole."""
        with suppress(OutOfTimeError, UnusableSchemaError, RecursionError):
            targeting = Targeting(self.solver, self.compile_writer, self.compile_reader, self._changes)
            for change, *_ in targeting.by_place():
                witness = self._first_witness(targeting.messages(change))
                if witness is not ABSENT:
                    return witness
        return ABSENT

    def _solve(self, want: int) -> Found:
        try:
            return self.solver.search([(self.sent, True), (self.read, False)], want)
        except OutOfTimeError:
            self.doubt = self.doubt or _NO_TIME
            return UNKNOWN

    def _where_nothing_is_sent(self) -> str | None:
        """Why the proof says nothing: something changed in a place for which the writer can send no value."""
        with suppress(OutOfTimeError, UnusableSchemaError, RecursionError):
            self.solver.deadline = time.thread_time() + MIN_SECONDS_FOR_EMPTINESS
            pointers = {"", *(change.writer_pointer for change in self._changes.all())}
            places = Values(self.compile_writer.document).around(pointers)
            for spot in places:
                if sends_nothing(spot, self.compile_writer, self.solver):
                    return _NO_VALUE.format(spot.pointer) if spot.pointer else _NO_MESSAGE
        return None

    def _cause(self, found: Found) -> str:
        if self.doubt:
            return self.doubt
        if found.values:
            return "found a possible counterexample, but jsonschema-rs and jsonschema disagree about it"
        causes = self.pool.causes()
        if not causes and (count := self.pool.largest_count()) > LARGE:
            return f"a breaking message may be too large to be built: the schemas count to {count:,}"
        return causes[0] if causes else "neither a proof nor a breaking message was found"

    def _sends(self, value: Any) -> bool:
        if not self.writers_judge.first(value):
            return False
        return not self.closed or self.solver.evaluator.holds(self.sent, value) is True

    def _is_witness(self, value: Any) -> bool:
        """Whether the writer may send a value that the reader rejects, as two validators have it."""
        if not self.judged or self.readers_judge.first(value) is not False or not self._sends(value):
            return False
        if CIRCULAR in self.pool.causes():  # where validators recurse without end
            return False
        return self.writers_judge.second(value) is True and self.readers_judge.second(value) is False

    def _first_witness(self, values: Iterable[Any]) -> Any:
        return next((value for value in values if self._is_witness(value)), ABSENT)

    def _sampled(self, number: int, *, exhaustive: bool) -> Any:
        """A witness among samples of the writer; beside a proof, a few of them check the proof."""
        if not self.judged:
            return ABSENT
        try:
            seeds = self.solver.solve([(self.sent, True)], MAX_WITNESSES if exhaustive else _SPOT_CHECKS).values
        except OutOfTimeError:
            seeds = []
        if not exhaustive:
            return self._first_witness(seeds[:number])
        values, names = sampling.constants(self.writer, self.reader)
        for value in islice(sampling.samples(seeds, values, names, Random(0)), number):  # noqa: S311 - no secret
            if time.thread_time() > self.solver.deadline:
                break
            if self._is_witness(value):
                return value
        return ABSENT

    def _incompatible(self, witness: Any, deadline: float) -> Verdict:
        sides = Sides(
            self.compile_writer,
            self.compile_reader,
            self.sent,
            self.read,
            self.newer,
            self._is_witness,
            self.readers_judge.errors,
        )
        explainer = Explainer(self.solver, sides, self._changes, deadline, one_by_one=self._is_large)
        reasons = explainer.reasons(witness)
        if not reasons:
            witness = self._shrunk(witness)
            errors = self.readers_judge.errors(witness)
            reasons = list({repr(reason): reason for reason in from_errors(errors, self.writer, self.reader)}.values())
            reasons = reasons or [reason_for("not-included", "", "", ABSENT, ABSENT)]
            reasons[0] = replace(reasons[0], witness=witness)
        else:
            witness = reasons[0].witness
        return Verdict("incompatible", witness=witness, incompatibilities=tuple(reasons), unexplained=explainer.left)

    def _shrunk(self, witness: Any) -> Any:
        until = time.thread_time() + MIN_SECONDS_FOR_SHRINKING
        return shrink(witness, lambda value: time.thread_time() < until and self._is_witness(value))
