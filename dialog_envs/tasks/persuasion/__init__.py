"""Persuasion-v0: win a donation for a charity from somebody whose values and doubts are hidden."""
