"""Retraining: a model fine-tuned on a user's labelled pages, and compared with the old one."""
