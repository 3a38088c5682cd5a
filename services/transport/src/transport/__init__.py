"""A Redis mailbox worker: takes delivery requests from a Resque queue and hands each to its gateway, once."""
