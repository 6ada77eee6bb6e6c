"""`Retry-After`, as RFC 9110 has it: seconds, or a date."""

import email.utils
import time


def retry_after(text: str) -> float:
    """Return the seconds from now; 0 or less if the text names none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0
