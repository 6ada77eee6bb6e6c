"""A log of the steps of a long test, for people who read why it failed."""

import time


class Steps:
    """Print each step with the seconds since the start; pytest shows them with `-s`."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, sentence: str) -> None:
        """Print a step that has just ended."""
        print(f"{time.monotonic() - self._began:6.1f} s  {sentence}", flush=True)
