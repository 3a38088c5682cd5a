"""What goes wrong, as objects with fields."""


class ContractTestError(Exception):
    """The base of every error this toolkit raises on purpose; its text says what to do next."""
