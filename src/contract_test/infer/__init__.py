"""Inference of a schema from messages. No personal data gets into it: see `evidence` for the rules."""

from contract_test.infer.evidence import Masked, Named, format_of, leads_to
from contract_test.infer.proposal import Proposal, infer
from contract_test.infer.widening import CannotWidenError, widen

__all__ = ["CannotWidenError", "Masked", "Named", "Proposal", "format_of", "infer", "leads_to", "widen"]
