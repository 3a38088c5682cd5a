"""A verdict in, a rendering out."""
