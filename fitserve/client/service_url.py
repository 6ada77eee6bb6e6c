"""Read the URL of the service as users write it."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_BASE_OF_ROUTES = "/v1"


def service_url(given: str) -> str:
    """Return the URL below which the routes begin; raise ValueError without a scheme.

    The clients of other services want a URL that ends in `/v1`, so that end is removed.
    An address of this machine needs no scheme.
    """
    url = given.strip()
    if not _SCHEME.match(url):
        if not _is_loopback(urlsplit(f"//{url}").hostname or ""):
            raise ValueError(
                "a URL begins with http:// or https://, such as "
                f"https://{url.split('://')[-1]}"
            )
        url = f"http://{url}"
    return url.rstrip("/").removesuffix(_BASE_OF_ROUTES)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False
