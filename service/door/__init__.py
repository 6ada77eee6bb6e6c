"""The door: who is let in, to do what, and how fast, before a byte of a body is read."""
