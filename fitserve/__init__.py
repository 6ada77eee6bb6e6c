"""fitserve: upload a CSV, POST a JSON model spec, get a trained Keras network."""

from importlib import import_module
from importlib.metadata import version
from typing import Any

__version__ = version("fitserve")


def __getattr__(name: str) -> Any:
    """Import a class of the client on its first use: the service does not need it.

    Classes begin with a capital letter, modules do not.
    """
    if name == "__all__":
        return [*import_module("fitserve.client").__all__, "__version__"]
    if not name[:1].isupper():
        raise AttributeError(f"module 'fitserve' has no attribute {name!r}")
    return getattr(import_module("fitserve.client"), name)
