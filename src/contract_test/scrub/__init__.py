"""Masking of personal data and secrets, so that a message can be kept."""
