"""Path parameters for version numbers."""

from starlette.convertors import Convertor, register_url_convertor


class VersionConvertor(Convertor[int]):
    """Up to nine digits; more are no version's, and cost time to read."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        """Return the number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Its digits."""
        return str(value)


VERSION = "version"
"""Used as `{number:version}`."""
register_url_convertor(VERSION, VersionConvertor())
