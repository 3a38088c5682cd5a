"""Logs as one JSON object a line, without payloads."""

from __future__ import annotations

import logging

from pythonjsonlogger.json import JsonFormatter


def log_to_stderr(level: str) -> None:
    """Send everything from `level` up to stderr: `time`, `level`, `logger`, `event`, and the record's own fields."""
    names = {"levelname": "level", "name": "logger", "message": "event", "exc_info": "traceback"}
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(list(names)[:3], rename_fields=names, timestamp="time"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
