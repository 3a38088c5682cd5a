"""Generation of a package of value objects from contracts."""
