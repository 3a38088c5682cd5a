"""Recording and verifying traffic: decode, check, choose, scrub, scan, write."""
