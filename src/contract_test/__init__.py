"""Contract testing for services that talk through queues and event streams."""
