"""Verify: deliveries to 学信网, proofreading, disputes, make-up shoots, and their deadlines."""
