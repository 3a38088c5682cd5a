"""The site: everything that is known of the contracts, as one frozen object, as JSON, and as static pages."""
