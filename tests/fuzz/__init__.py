"""Fuzzing: hostile pages, chunkings and model files against the contract. `make test` runs a short version, `make fuzz` a long one."""
