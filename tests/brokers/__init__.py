"""The real servers that the tests run on, and the choice among them."""
