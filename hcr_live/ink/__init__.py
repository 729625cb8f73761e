"""Ink to network input: the one way from strokes or pixels to what the network sees."""
