"""The error of a service that cannot start."""


class CannotStart(Exception):
    """The service cannot start with these settings; the message says why."""
