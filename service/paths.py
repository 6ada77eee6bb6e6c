"""Path parameters for version numbers."""

from starlette.convertors import Convertor, register_url_convertor


class VersionConvertor(Convertor[int]):
    """A version number of up to nine digits; longer numbers are slow to parse."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


VERSION = "version"
"""Used as `{number:version}`."""
register_url_convertor(VERSION, VersionConvertor())
