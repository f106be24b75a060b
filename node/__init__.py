"""flattr-node: a pot a month, a click for what you like, an equal share for each."""
