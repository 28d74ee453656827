"""Model training: data sets, both passes, and the export of the model file."""
