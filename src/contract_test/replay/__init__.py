"""Recorded messages replayed against a service, and what came of them."""
