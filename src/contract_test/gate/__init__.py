"""Gate: whether a version of a service may be deployed, given everything that is still in flight."""
