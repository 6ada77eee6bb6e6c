"""Keep one of several training processes of a worker free for small runs."""

import multiprocessing


class Room:
    """Record which processes of a worker train a long run, in memory that they share.

    Each process writes its own mark only, so that no lock can stay locked when a process
    is killed. If two processes want the last place at the same moment, neither gets it.
    """

    def __init__(self, num_processes: int) -> None:
        self._num_processes = num_processes
        self._marks = multiprocessing.get_context("fork").RawArray("b", num_processes)

    def take(self, index: int) -> bool:
        """Mark that a process may train a long run. Return False if it may not."""
        self._marks[index] = 1
        if self.has_place(index):
            return True
        self.leave(index)
        return False

    def leave(self, index: int) -> None:
        """Remove the mark of a process that trains no long run, or has just started."""
        self._marks[index] = 0

    def has_place(self, index: int) -> bool:
        """Return whether a long run of this process would leave another one free."""
        others = sum(self._marks) - self._marks[index]
        return self._num_processes == 1 or others + 1 < self._num_processes
