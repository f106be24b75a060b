"""A local network for the demo and the tests: real daemons, or simulated ones."""
