"""What creators earn: closed months exactly, the open one as an estimate."""
