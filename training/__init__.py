"""Training, evaluation and retraining of the model. Imports `classifier`; `classifier` never imports this package."""
