"""Per-site knowledge: hand-written label rules, and a memory of the lines that recur across a site's pages."""
