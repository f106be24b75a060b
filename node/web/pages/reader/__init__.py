"""What readers see: money in, the month, closed months with a receipt each, money out."""
