"""Model evaluation: metrics, gold pages, quality floors, the model card and the evaluation report."""
