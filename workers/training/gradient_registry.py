"""Remove the custom gradients that TensorFlow registers while it traces a function.

TensorFlow never removes them, and each one keeps the graph of its function: some 6,000
Python objects for a small network. Keras's optimizers use one in each trace. A gradient
is needed only while the function that differentiates it is traced.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tensorflow.python.framework import ops


@contextmanager
def temporary_gradients() -> Iterator[None]:
    """Remove the gradients that are registered in the block."""
    registered = ops.gradient_registry._registry  # noqa: SLF001  no public way removes one
    known = set(registered)
    yield
    for name in registered.keys() - known:
        del registered[name]
