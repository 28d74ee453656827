"""Monitoring: drift detection against a profile of pages, and the selection of pages to label next."""
