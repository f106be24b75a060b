"""What a balance is: accounts, entries, and the booking of each event. Pure."""
