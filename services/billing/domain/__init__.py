"""What billing decides: pure rules, one file a subject."""
