"""Prints the packages of the constraints with their licences. Fails if one has none, or a new one is copyleft."""
# ruff: noqa: INP001 - a script

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

CONSTRAINTS = Path(__file__).parent / "constraints.txt"
KNOWN_LGPL = {
    "crc32c",
    "psycopg",
    "psycopg-binary",
    "python-stdnum",
}
"""Named in SECURITY.md."""


def licence_of(name: str) -> str:
    """Return what the metadata of an installed package says of its licence."""
    metadata = distribution(name).metadata
    classifiers = [each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier", []) if "License ::" in each]
    stated = (metadata.get("License-Expression"), " and ".join(classifiers), metadata.get("License"))
    return next((each.partition("\n")[0] for each in stated if each), "")


def main() -> int:
    """Print the list, and return the exit code."""
    code = 0
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", CONSTRAINTS.read_text(), re.MULTILINE):
        try:
            licence = licence_of(name)
        except PackageNotFoundError:
            licence = "not installed on this platform"
        sys.stdout.write(f"{name} {version}: {licence or 'UNKNOWN'}\n")
        is_copyleft = re.search(r"\bA?L?GPL|GNU|Affero", licence) is not None
        if not licence or (is_copyleft and name not in KNOWN_LGPL):
            sys.stderr.write(f"{name}: {licence or 'no licence'}. Name it in SECURITY.md and here, or do without it.\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
