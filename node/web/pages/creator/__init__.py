"""What creators see: what is theirs, how to claim more, and where they are paid."""
