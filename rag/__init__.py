"""Citeline: short answers from a folder of articles, every sentence tied to the sentence that supports it."""
