"""Fuzzing: hostile pages, chunkings and model files against the promises. `make test` runs a little of it, `make fuzz` a lot."""
