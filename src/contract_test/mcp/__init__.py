"""A read-only server of the Model Context Protocol: an assistant asks about the contracts."""
