"""What site owners see: the button as it will look, and what to copy for it."""
