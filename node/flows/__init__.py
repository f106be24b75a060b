"""What is done, in which order: the only room that opens transactions, waits and retries."""
