"""Backups: one file of everything that the database has, and the way back."""
