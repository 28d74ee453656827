"""Inference core: lines in, label probabilities and keep decisions out. Arrays only; no file formats, no command line."""
