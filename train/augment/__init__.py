"""Seeded variations of strokes and ink, and ink that is no character.

Every function takes the random generator that it draws from and leaves its input alone.
"""
