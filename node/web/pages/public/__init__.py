"""What everybody sees: a thing, a creator, and what is flattred most."""
