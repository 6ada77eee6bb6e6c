"""What a user writes to have a network trained: closed schemas, no Keras needed."""

from fitserve.specs.run import RunCreate

__all__ = ["RunCreate"]
