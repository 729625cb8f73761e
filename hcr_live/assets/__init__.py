"""Bundled files: the demo clip."""
