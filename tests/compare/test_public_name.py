"""`from contract_test import compare` is the function, whatever was imported before."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "before",
    ["", "import contract_test.compare", "from contract_test.compare import nodes", "import contract_test.cli.compat"],
)
def test_the_function_is_not_hidden_by_the_room_of_its_name(before):
    code = f"{before}\nfrom contract_test import compare\nprint(compare(writer={{}}, reader=True).status)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "compatible\n"


def test_the_room_is_there_too():
    from contract_test.compare import MODES, compare

    assert compare(writer=False, reader={}).status in ("compatible", "unknown")
    assert "FULL" in MODES
