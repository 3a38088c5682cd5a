"""Pure functions over schemas."""
