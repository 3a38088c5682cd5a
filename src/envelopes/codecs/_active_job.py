"""The wrapper in which ActiveJob puts its jobs on the queues of Sidekiq and Resque."""

from __future__ import annotations

from typing import Any

ARGUMENTS = ("args", 0, "arguments")
"""Where the arguments of the job inside are in the job around it."""
NAMES = frozenset({
    "job_class", "job_id", "provider_job_id", "queue_name", "priority", "arguments", "executions",
    "exception_executions", "locale", "timezone", "enqueued_at", "scheduled_at",
})  # fmt: skip
TEXTS = frozenset({
    "default", "en", "UTC", "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper",
    "ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper", "Sidekiq::ActiveJob::Wrapper",
})  # fmt: skip
_WRAPPERS = ("JobWrapper", "::Wrapper")


def job_inside(job: Any) -> dict[str, Any] | None:
    """Return the job inside ActiveJob's wrapper, or None for a plain job."""
    args = job.get("args") if isinstance(job, dict) else None
    is_wrapper = isinstance(args, list) and len(args) == 1 and isinstance(args[0], dict) and "job_class" in args[0]
    return args[0] if is_wrapper and args and str(job.get("class")).endswith(_WRAPPERS) else None
