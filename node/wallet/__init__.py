"""Payment networks: the rails that pay, and the eyes that see money come in."""
