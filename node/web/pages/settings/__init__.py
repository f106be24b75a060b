"""Pages on which members change what is theirs."""
