"""Errors that end the service, each with its exit code."""


class UnusableError(Exception):
    """An option, or a server that it names, cannot be used as it is set up; waiting does not help. Exit code 2."""


class UnrecoverableError(Exception):
    """A dead letter could not be written, or messages were deleted before they were read. Exit code 3."""


class OldTablesError(UnusableError):
    """The database has tables of an earlier version, whose columns had other names."""
