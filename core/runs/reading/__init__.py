"""What a learning curve says, and what to try next."""
