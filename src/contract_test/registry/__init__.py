"""Schema registries over Confluent's API: what would be registered, registering it, reading it, where both differ.

Git is the source and the registry a copy of it. A registry's answers are not trusted.
"""
