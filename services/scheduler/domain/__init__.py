"""What scheduler decides, without IO, clock or randomness: one module a subject."""
