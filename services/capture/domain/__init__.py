"""The rules of capture: pure values in, values and events out. A refusal is a code; its words are in the catalogue."""
