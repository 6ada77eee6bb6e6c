"""The same protocol by gRPC, on a port of its own (docs/decisions/0015)."""
