"""AsyncAPI documents: written from contracts, read into contracts, and compared with them."""
