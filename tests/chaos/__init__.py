"""Real processes, killed by a schedule: `python -m tests.chaos`, `make chaos`."""
