"""Why a part of a report is not there, for whoever reads the report."""


def failed(error: Exception) -> str:
    """A sentence for a part that raised; its text is for the log, which has it whole."""
    return f"it failed ({type(error).__name__}), and the worker's log says why"
