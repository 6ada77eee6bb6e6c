"""Return freed memory to the operating system."""

import ctypes

_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def return_freed_memory() -> None:
    """Return the memory that the allocator keeps after it was freed.

    Only the GNU C library can; with another one, the function does nothing.
    """
    if _malloc_trim is not None:
        _malloc_trim(0)
