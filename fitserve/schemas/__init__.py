"""Schemas of the bodies of requests and responses, except the spec of a run."""
