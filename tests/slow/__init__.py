"""Checks that take minutes: not part of `make test`; each has a make target of its own."""
