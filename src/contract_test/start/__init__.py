"""The first steps: `init` and `demo`."""
