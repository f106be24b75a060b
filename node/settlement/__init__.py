"""What is decided: shares, payouts, attempts, batches. Pure."""
