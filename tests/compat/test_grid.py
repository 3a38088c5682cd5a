"""A reason names the change, wherever it stands: every edit under every composition, alone and together with others."""

import jsonschema
import pytest
from compat.grid import COMPOSITIONS, CORE, DIRECTIONS, EDITS, NOT_IN, PAGE, page, wrong_in

from contract_test import compare

NAMES = [name for name, _, _ in COMPOSITIONS]
# one edit of each property of the core, none of which hides another
TOGETHER = ("maximum lowered", "type narrowed", "enum value removed", "maxLength lowered", "item type changed",
            "map value changed", "property removed")  # fmt: skip


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("composition", COMPOSITIONS, ids=NAMES)
def test_the_one_change_is_named_at_its_place(composition, direction):
    wrong = {
        edit.name: said
        for edit in EDITS
        if (composition[0], edit.name) not in NOT_IN and (said := wrong_in(edit, composition, direction))
    }

    assert wrong == {}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("composition", COMPOSITIONS, ids=NAMES)
def test_each_of_several_changes_has_a_message_that_breaks_for_it_only(composition, direction):
    _, compose, where = composition
    edits = {edit.name: edit for edit in EDITS if edit.name in TOGETHER}
    before = compose(_edited(edits.values(), after=False))
    after = compose(_edited(edits.values(), after=True))
    newer = "reader" if direction == "BACKWARD" else "writer"

    verdict = compare(before, after, content_model="closed-writer", formats="assertion", newer=newer)

    assert verdict.unexplained == ""
    found = {reason.reader_pointer.removeprefix(where): reason for reason in verdict.incompatibilities}
    assert found.keys() == {edit.expected()[4] for edit in edits.values()}
    for edit in edits.values():
        reason = found[edit.expected()[4]]
        others = [other for other in edits.values() if other is not edit]
        if newer == "reader":
            undone = compose(_edited(others, after=True, kept=[edit]))
            assert _is_valid(undone, reason.witness), f"{edit.name} alone is no reason for {reason.witness}"
        else:
            undone = compose(_edited(others, after=False, kept=[edit]))
            assert not _is_valid(undone, reason.witness), f"{edit.name} alone is no reason for {reason.witness}"


def test_the_table_in_the_documentation_is_the_result():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.compat.grid --write"


def _edited(edits, *, after, kept=()):
    """The core with some edits made, and of those that are kept the opposite."""
    schema = CORE
    for edit in (*edits, *kept):
        schema = edit.made_in(schema, after=after != (edit in kept))
    return schema


def _is_valid(schema, value):
    validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return validator(schema).is_valid(value)
