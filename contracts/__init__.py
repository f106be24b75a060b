"""The payout contract, what it is built from, and what it was built to."""
