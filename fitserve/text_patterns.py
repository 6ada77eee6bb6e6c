"""The patterns of texts in specs and queries, and their descriptions in words."""

from fitserve.names import NAME_PATTERN

NO_NUL = r"^[^\x00]*$"
UNIT = r"^[^\s\x00\d.,()+-](?:[^\x00]*[^\s\x00])?$"
DELIMITER = r"^[\t !#$%&*+,./:;<=>?@^_|~-]$"

IN_WORDS = {
    NAME_PATTERN: "letters, digits, dots, dashes and underscores, with a letter or a "
    "digit first",
    NO_NUL: "a text without the character U+0000",
    UNIT: "a unit that begins with no digit, sign or bracket and ends with no blank",
    DELIMITER: "one character such as `,` or `;`, or a tab",
}
"""The words for each pattern in error messages."""
