"""What members take away: tables, ledgers, receipts, and all that the node has of them."""
