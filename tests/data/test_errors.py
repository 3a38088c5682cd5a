"""Every error says what happened and what to do; one about a file says where."""

import ast
import pickle
from pathlib import Path

import pytest

from contract_test.data import errors

SOURCE = Path(errors.__file__).parents[1]
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.ContractTestError)
}
OF_A_FILE = {"SchemaError", "RecordingError"}


def raised():
    """Every place that makes an error, as pytest parameters."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                yield pytest.param(node, id=f"{path.relative_to(SOURCE)}:{node.lineno}")


@pytest.mark.parametrize("call", list(raised()))
def test_an_error_says_where_and_what_to_do(call):
    given = {each.arg for each in call.keywords}
    if call.func.id == "UnknownModeError":
        return  # writes its own advice
    assert "advice" in given
    assert "place" in given or call.func.id not in OF_A_FILE


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_an_error_reads_as_place_problem_and_advice(kind):
    error = kind.__new__(kind)
    errors.ContractTestError.__init__(error, "it is torn", place="a.json:/x", advice="Mend it.")
    assert str(error) == "a.json:/x: it is torn\n  Mend it."


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_an_error_comes_whole_out_of_another_process(kind):
    error = kind.__new__(kind)
    errors.ContractTestError.__init__(error, "it is torn", place="a.json:/x", advice="Mend it.")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (kind, str(error))
