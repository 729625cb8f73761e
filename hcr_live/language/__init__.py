"""Help from language: a dictionary, and the words that what was read may mean."""
