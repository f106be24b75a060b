"""The operator's console and metrics, on a listener of their own (see `table.py` for every URL)."""
