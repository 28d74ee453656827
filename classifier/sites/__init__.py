"""Site-specific knowledge: rules that an editor writes, and a memory of the lines that a site repeats."""
