"""Keeping house: what runs refer to, what can go, and whether all is well with the installation."""
