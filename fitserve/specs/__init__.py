"""Schemas of the spec of a run; they do not import Keras."""

from fitserve.specs.run import RunCreate

__all__ = ["RunCreate"]
