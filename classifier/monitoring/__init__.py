"""Monitoring: drift detection against a profile, and the selection of pages to label next."""
