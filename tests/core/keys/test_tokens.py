"""What a key looks like."""

import re

import pytest

from core.keys.tokens import Token, new_token, parse


def test_a_key_is_found_by_scanners_and_read_back():
    """Prefix, id, 256 bits of secret, checksum; no two alike."""
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    for token in tokens:
        assert re.fullmatch(r"fitserve_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", str(token))
        assert parse(str(token)) == token


@pytest.mark.parametrize("place", [9, 15, 22, 40, 64, 70])
def test_one_wrong_character_is_told_by_the_checksum(place):
    """Wherever it stands."""
    text = str(new_token())
    other = "A" if text[place] != "A" else "B"
    assert parse(text[:place] + other + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "x", "fitserve_", "fitserve__", str(new_token()) + "\n", "é" * 71]
)
def test_what_is_no_key_is_none(text):
    """Of whatever form."""
    assert parse(text) is None


def test_the_checksum_is_the_crc32_that_it_was():
    """A key that was given out must be read for ever."""
    text = "fitserve_000000000000_" + "0" * 43
    assert str(Token("0" * 12, "0" * 43)) == text + "1NvwuO"
