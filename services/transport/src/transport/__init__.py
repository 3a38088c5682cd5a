"""A worker that delivers pushes and SMS: it sends each job of a Resque queue to its gateway, once."""
