"""What verify decides: pure rules, one file a subject."""
