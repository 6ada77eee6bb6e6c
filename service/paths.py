"""What may stand in a path where a version's number does."""

from starlette.convertors import Convertor, register_url_convertor


class VersionConvertor(Convertor[int]):
    """Up to nine digits; more are no version's, and cost time to read."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        """The number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Its digits."""
        return str(value)


VERSION = "version"
"""Used as `{number:version}`."""
register_url_convertor(VERSION, VersionConvertor())
