"""The command line: `flattr-node …`."""
