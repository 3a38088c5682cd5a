"""What the service tells about itself, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3600)

MESSAGES = Counter("feed_messages", "Messages taken in.", ["subject"])
DEAD_LETTERS = Counter("feed_dead_letters", "Messages that nobody could read.")
UNFETCHABLE = Counter("feed_unfetchable", "Messages that Kafka's client could not fetch, and that were passed over.")
REBALANCES = Counter("feed_rebalances", "Times that the group gave or took partitions.")
PUSHES = Counter("feed_pushes", "Pushes handed to the transport.")
OUTBOX_PUSHES = Gauge("feed_outbox_pushes", "Pushes of the whole store that wait for the transport's mailbox.")
OUTBOX_AGE = Gauge("feed_outbox_age_seconds", "For how long the oldest of these pushes has waited.")
DEAD_LETTER_TOPIC_MESSAGES = Gauge("feed_dead_letter_topic_messages", "Messages in the dead-letter topic.")
DEAD_LETTER_TOPIC_AGE = Gauge("feed_dead_letter_topic_age_seconds", "Seconds since the oldest of them was written.")
REDIS_DATA_LOSSES = Counter("feed_redis_data_losses", "Times that Redis came back without its data.")
LAG = Gauge("feed_lag", "Messages of the stream that are not in the store yet.", ["partition"])
LATENCY = Histogram("feed_latency_seconds", "From when something happened to when it shows.", buckets=_BUCKETS)
PUSH_LATENCY = Histogram("feed_push_latency_seconds", "From a like to its push in the mailbox.", buckets=_BUCKETS)
