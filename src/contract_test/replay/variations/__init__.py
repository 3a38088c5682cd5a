"""Legal messages that nobody recorded, derived from the contract and from recorded ones."""
