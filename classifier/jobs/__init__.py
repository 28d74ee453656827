"""Batch jobs: whole inputs cleaned or labelled, with counts, error policies, parallel workers and resumption."""
