"""File formats: one module per format reads and writes it as a stream of text or records; `registry` finds them by name."""
