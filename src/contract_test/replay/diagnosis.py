"""Why a replayed message failed, derived from the error that its item ended with."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from contract_test.data.errors import UnplayableError
from contract_test.data.interaction import Mismatch
from contract_test.data.result import Failure, OperationKind
from contract_test.replay import deliveries, unused_message
from contract_test.replay.cases import Case
from contract_test.replay.deliveries import EffectError
from contract_test.replay.field_access import pointer_of
from contract_test.replay.unused_message import UnreadError
from contract_test.schema.walk import escape
from envelopes import ContractViolationError, ValueObject

MAX_MESSAGE_LENGTH = 200
_TAKE: dict[OperationKind, str] = {
    "consumes": "Let the code take this message; or, if nobody may send it, narrow the contract in a new version.",
    "produces": "Let the code send this message again; or, where nothing sends it any more, record again.",
}
_ALWAYS = "Mend the code, or its test: it fails so whatever the message is."
_SETUP = "It failed before the test began: mend the fixture."
_DECLARE = "Change the producer back, or declare the change in a new version of the contract."
_EMITS = "Change the producer back, or record again where the change is meant."
_VOLATILE = f"{_EMITS} What is new each time, such as a clock's time, stands under `volatile` in the catalog."


def failure_of(
    error: BaseException | None,
    found: Sequence[Mismatch] = (),
    operation: OperationKind = "consumes",
    *,
    began: bool = True,
) -> Failure:
    """Return the failure of an item: an error before its test `began` or in it, or a mismatch."""
    if found:
        first = found[0]
        advice = _VOLATILE if first.check == "value-changed" else _EMITS
        advice = _DECLARE if first.check in ("undeclared-field", "contract-broken") else advice
        return Failure(first.check, f"expected {first.expected}, found {first.found}", first.pointer, advice, (*found,))
    seen = error
    while seen is not None:
        if isinstance(seen, AttributeError) and isinstance(seen.obj, ValueObject) and seen.name is not None:
            return _unknown_field(seen.obj, seen.name)
        if isinstance(seen, EffectError):
            return Failure(deliveries.CHECK, seen.problem, seen.found[0].pointer, seen.advice, seen.found)
        if isinstance(seen, UnplayableError):
            return Failure(seen.check, seen.problem, "", seen.advice)
        if isinstance(seen, UnreadError):
            return Failure(unused_message.CHECK, seen.problem, "", seen.advice)
        if isinstance(seen, ContractViolationError):
            advice = "change the producer so that it keeps the contract, or write a new version of it"
            return Failure(
                "contract-broken", f"expected {seen.expected}, found {seen.found}", seen.pointer or "/", advice
            )
        seen = seen.__cause__ or seen.__context__
    advice = _TAKE[operation] if began else _SETUP
    if error is None:
        return Failure("handler-failed", "failed", "", advice)
    if type(error) is NameError or isinstance(error, ImportError):  # a subclass of NameError can hang on the message
        advice = _ALWAYS
    message_line = str(error).strip().partition("\n")[0][:MAX_MESSAGE_LENGTH]
    sentence = f"{type(error).__name__}: {message_line}" if message_line else type(error).__name__
    return Failure("handler-failed", sentence, "", advice)


def no_cause(case: Case) -> UnplayableError:
    """Return why a test that asks for `cause` gets none."""
    if case.operation == "consumes":
        return UnplayableError("a consumer's test has no `cause`", advice="Ask for `message`, or for `envelope`.")
    place = case.message.interaction.place
    if not case.effects:
        advice = f'Write @pytest.mark.produces("{case.subject.name}", caused_by="subject of the cause").'
        return UnplayableError("the test asks for `cause`, and its marker names none", place=place, advice=advice)
    advice = "Record both channels over the same time; or, at the edge, use `recorded` instead of `cause`."
    return UnplayableError("no recorded message has the id that it names as its cause", place=place, advice=advice)


def several_causes(case: Case) -> UnplayableError:
    """Return why a test that asks for `cause` gets none, where several messages led to one."""
    problem = f"{len(case.causes)} messages caused this one, and the test asks for `cause`"
    return UnplayableError(problem, place=case.message.interaction.place, advice="Ask for `causes`, which is a list.")


def not_a_consumer(fixture: str) -> UnplayableError:
    """Return why a producer's test gets no `message`: it would emit what it was given, and prove nothing."""
    advice = "Ask for `cause`, or, where no message led to it, for `recorded`."
    return UnplayableError(f"`{fixture}` is what a consumer's test gets, and this is a producer's", advice=advice)


def not_a_producer(fixture: str) -> UnplayableError:
    """Return why a consumer's test gets no `emits` and no `recorded`: nothing would check what it emits."""
    advice = 'Mark a test @pytest.mark.produces("subject", caused_by="subject of the cause"), and let that one emit.'
    return UnplayableError(f"`{fixture}` is what a producer's test gets, and this is a consumer's", advice=advice)


def other_case() -> UnplayableError:
    """Return why a test whose fixture `contract_case` is not this plugin's proves nothing."""
    return UnplayableError(
        "another fixture named `contract_case` gives this test a message that is not its own",
        advice="Name your fixture differently. To run a test with chosen messages only, parametrize an unmarked test.",
    )


def _unknown_field(part: ValueObject, name: str) -> Failure:
    fields = list(type(part).model_fields)
    near = difflib.get_close_matches(name, fields, 1)
    wish = f"read `{near[0]}` instead, or " if near else ""
    return Failure(
        "field-unknown",
        f"the contract has no such field (it has: {', '.join(fields)})",
        f"{pointer_of(part)}/{escape(name)}",
        f"{wish}add the field in a new version of the contract before reading it",
    )
