"""Synthetic data: labelled pages composed from the original corpus and from layouts of real pages."""
