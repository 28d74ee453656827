"""File formats: one module reads and writes each, as streams of text or of records; `registry` finds the module by name."""
