"""The stablecoin: money into the vault, a month charged and paid, and what waits."""
