"""Read the header `Retry-After` (RFC 9110): seconds, or a date."""

import email.utils
import time


def retry_after(text: str) -> float:
    """Return the seconds to wait; 0 or less if the text is invalid or the date past."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0
