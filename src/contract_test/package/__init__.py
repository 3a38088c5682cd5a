"""Package: a version that is derived from the contracts' history, and the distributions that carry the contracts."""
