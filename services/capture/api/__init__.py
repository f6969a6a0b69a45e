"""The doors of capture: what a desk signs and sends, and what staff may see and do."""
