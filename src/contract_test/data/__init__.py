"""Plain frozen objects that every other layer speaks in: no I/O."""
