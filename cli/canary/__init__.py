"""Names and numbers that belong to nobody are planted, and looked for wherever they must not be."""
