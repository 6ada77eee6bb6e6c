"""What the service answers: wire models, no defaults, every field always present."""
