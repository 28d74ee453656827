"""Synthetic training data: labelled pages composed from the authored corpus and from layouts of real pages."""
