"""Benchmarks, not tests: `make bench` and `make limits`."""
