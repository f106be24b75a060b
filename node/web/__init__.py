"""The node's HTTP face: it speaks, and decides nothing (see `routes.py` for every URL)."""
