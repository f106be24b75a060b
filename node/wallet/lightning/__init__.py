"""The Lightning rail: one LND over gRPC."""
