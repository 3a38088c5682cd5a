"""The pytest plugin behind `pytest --contracts`."""
