"""Memory that was freed goes back to the system.

Loading a model leaves several times its size behind as free memory that glibc keeps; in a
process that loads and drops models all day that would be most of it.
"""

import ctypes

# none where the C library is another; loaded symbols only, so nothing is searched for
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Return what is free to the system, in a millisecond or less."""
    if _trim is not None:
        _trim(0)
