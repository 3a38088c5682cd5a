"""Is every message that a writer may send accepted by a reader? A proof, or a message that breaks."""

from contract_test.compare.emptiness import empty_places
from contract_test.compare.engine import compare
from contract_test.compare.incompatibility_rules import RULES, Rule
from contract_test.data.compatibility_modes import MODES, Pair, pairs_for, stricter

__all__ = ["MODES", "RULES", "Pair", "Rule", "compare", "empty_places", "pairs_for", "stricter"]
