"""What the service tells about itself, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("feed_messages", "Messages taken in.", ["subject"])
DEAD_LETTERS = Counter("feed_dead_letters", "Messages that nobody could read.")
REBALANCES = Counter("feed_rebalances", "Times that the group gave or took partitions.")
PUSHES = Counter("feed_pushes", "Pushes handed to the transport.")
LAG = Gauge("feed_lag", "Messages of the stream that are not in the store yet.", ["partition"])
LATENCY = Histogram(
    "feed_latency_seconds",
    "From when something happened to when it shows.",
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600),
)
