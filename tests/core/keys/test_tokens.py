"""The form of a key."""

import re

import pytest

from core.keys.tokens import Token, new_token, parse


def test_a_key_is_found_by_scanners_and_read_back():
    """A key has a prefix, an id, a secret and a checksum, and no two keys are equal."""
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    for token in tokens:
        assert re.fullmatch(r"fitserve_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", str(token))
        assert parse(str(token)) == token


@pytest.mark.parametrize("place", [9, 15, 22, 40, 64, 70])
def test_the_checksum_finds_one_wrong_character(place):
    text = str(new_token())
    other = "A" if text[place] != "A" else "B"
    assert parse(text[:place] + other + text[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "x", "fitserve_", "fitserve__", "é" * 71])
def test_a_text_that_is_not_a_key_is_not_parsed(text):
    assert parse(text) is None


def test_a_key_with_a_line_end_is_not_parsed():
    assert parse(f"{new_token()}\n") is None


def test_the_checksum_never_changes():
    """Keys that were issued earlier must stay valid."""
    text = "fitserve_000000000000_" + "0" * 43
    assert str(Token("0" * 12, "0" * 43)) == text + "1NvwuO"
