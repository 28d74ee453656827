"""Explanations: which features decided a line's label, on a terminal or as an HTML report."""
