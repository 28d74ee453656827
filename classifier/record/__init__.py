"""Records: what the labelled lines of a page say about its article."""
