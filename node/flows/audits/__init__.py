"""The audit: every law of the books, of Lightning and of the vault, with figures."""
