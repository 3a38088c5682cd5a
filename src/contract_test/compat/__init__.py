"""Compatibility of versions: which pairs to compare, what breaks, and who is affected."""
