"""Inferring a schema from messages. No personal data gets into it: see `evidence` for the rules."""

from contract_test.infer.evidence import DeclaredFields, Masked, format_of, has_value_at
from contract_test.infer.proposal import Proposal, infer
from contract_test.infer.undeclared import CannotWidenError
from contract_test.infer.widening import widen

__all__ = ["CannotWidenError", "DeclaredFields", "Masked", "Proposal", "format_of", "has_value_at", "infer", "widen"]
