"""What HTML pages share: one stylesheet, and an environment that escapes every value."""
