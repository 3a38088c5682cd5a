"""Checks of a contracts directory, and the scan of files for secrets."""
