"""What is scanned or swiped at the check-in desk. Whatever a card says stays in memory: no log, no error, no repr."""
