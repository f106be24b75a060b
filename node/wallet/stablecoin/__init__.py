"""The stablecoin rail: a payout vault on an EVM chain, and how the node reads and writes it."""
