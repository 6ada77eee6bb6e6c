"""Protocols of other model servers, with the same predictor."""
