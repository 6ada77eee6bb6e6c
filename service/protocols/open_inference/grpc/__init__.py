"""Open Inference over gRPC, on its own port (docs/decisions/0015)."""
