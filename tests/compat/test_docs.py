"""docs/compat.md says what the code does."""

from pathlib import Path

from contract_test.compare import MODES, RULES
from contract_test.compat.findings import OWN_RULES
from envelopes.validation import ASSERTED_FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "compat.md").read_text(encoding="utf-8")


def test_the_table_of_rules_is_the_rules():
    rows = [line for line in PAGE.partition("## Rules")[2].splitlines() if line.startswith("| `")]

    assert rows == [
        f"| {_names(rule)} | {rule.explanation} | {rule.fix} | {rule.forward or 'the same'} |"
        for rule in (*RULES.values(), *OWN_RULES.values())
    ]


def test_every_mode_and_every_asserted_format_is_named():
    assert all(f"`{mode.removesuffix('_TRANSITIVE')}`" in PAGE for mode in MODES)
    assert all(f"`{name}`" in PAGE for name in ASSERTED_FORMATS)


def _names(rule):
    return f"`{rule.id}`, in `FORWARD` `{rule.forward_id}`" if rule.forward_id else f"`{rule.id}`"
