"""The modes of a schema registry choose pairs; they never compare."""

import pytest

from contract_test.compare import MODES, pairs_for
from contract_test.data.errors import ContractTestError, UnknownModeError


def chosen(mode, versions=(1, 2, 3)):
    return {(pair.writer, pair.reader, pair.direction) for pair in pairs_for(mode, versions)}


def test_backward_lets_each_version_read_the_one_before():
    assert chosen("BACKWARD") == {(1, 2, "BACKWARD"), (2, 3, "BACKWARD")}


def test_forward_lets_each_version_be_read_by_the_one_before():
    assert chosen("FORWARD") == {(2, 1, "FORWARD"), (3, 2, "FORWARD")}


def test_full_is_both():
    assert chosen("FULL") == chosen("BACKWARD") | chosen("FORWARD")


def test_transitive_goes_back_to_the_first():
    assert chosen("BACKWARD_TRANSITIVE") == {(1, 2, "BACKWARD"), (1, 3, "BACKWARD"), (2, 3, "BACKWARD")}
    assert len(chosen("FULL_TRANSITIVE", range(5))) == 20


def test_none_and_a_single_version_ask_nothing():
    assert chosen("NONE") == set()
    assert all(chosen(mode, (1,)) == set() for mode in MODES)


def test_an_unknown_mode_says_which_there_are():
    with pytest.raises(UnknownModeError, match="FULL_TRANSITIVE") as error:
        pairs_for("BACKWARDS", (1, 2))

    assert isinstance(error.value, ContractTestError)
    assert error.value.mode == "BACKWARDS"
