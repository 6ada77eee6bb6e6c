"""The limit to which a small file may unpack."""

_RATIO = 100
_ALWAYS = 1024**3


def most_unpacked(num_bytes: int) -> int:
    """Return how many bytes the table of a file of this size may need in memory."""
    return max(_ALWAYS, _RATIO * num_bytes)
