"""Long checks: minutes each, so not part of `make test`; each has a make target of its own."""
