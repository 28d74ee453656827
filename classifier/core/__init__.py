"""Inference core: lines in, label probabilities and keep decisions out. Works on arrays; knows no file format and no command line."""
