"""The desks of one hall on their LAN: who they are, what they tell each other, and which of them is hub."""
