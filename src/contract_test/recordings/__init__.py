"""Recorded messages as bytes, as envelopes, and as cause and effect."""
