"""Find categories that are probably one, written in two ways."""

from __future__ import annotations

import unicodedata

from core.lazy import pl

_SHOWN = 3
_ARE_ALIKE = "categories that are probably the same"
_FEW = 100
_MOST_CATEGORIES = 100_000
"""More different texts than these are not compared."""


def near_duplicates(counts: pl.DataFrame) -> list[str]:
    """Return one warning if categories differ in their spelling only.

    `counts` has the columns `value` (text) and `count`.
    """
    if counts.height < 2 or counts.height > _MOST_CATEGORIES:
        return []
    if counts.height <= _FEW and _are_unlike(counts["value"].to_list()):
        return []
    alike = (
        counts.with_columns(key=_key(pl.col("value")))
        .filter(pl.col("key") != "")
        .sort(["count", "value"], descending=[True, False])
        .group_by("key", maintain_order=True)
        .agg("value", "count")
        .filter(pl.col("value").list.len() > 1)
    )
    if not alike.height:
        return []
    shown = [_pair(values, nums) for _, values, nums in alike.head(_SHOWN).rows()]
    more = f"; and {alike.height - _SHOWN:,} more" if alike.height > _SHOWN else ""
    return [
        (
            f"{_ARE_ALIKE}: {'; '.join(shown)}{more}; they may "
            "count as different: write each one in a single way"
        )
    ]


def is_about_near_duplicates(warning: str) -> bool:
    """Return whether a warning of a column comes from `near_duplicates`."""
    return warning.startswith(_ARE_ALIKE)


def _are_unlike(values: list[str]) -> bool:
    """Return whether no letters and digits are equal; much faster for a few texts."""
    plain = (unicodedata.normalize("NFKC", value).lower() for value in values)
    bare = {"".join(filter(str.isalnum, text)) for text in plain}
    return len(bare) == len(values)


def _key(text: pl.Expr) -> pl.Expr:
    """Return a text that is equal for spellings of one category."""
    plain = text.str.normalize("NFKC").str.to_lowercase()
    plain = plain.str.replace_all("[\u200b-\u200d\u2060\ufeff\u00ad]", "")
    plain = plain.str.replace_all(r"(\p{L})[\s_-]+(\p{L})", "$1 $2")
    plain = plain.str.replace_all(r"\s+", " ")
    return plain.str.replace(r"[\s.,;:!]+$", "").str.strip_chars()


def _pair(values: list[str], counts: list[int]) -> str:
    shown = [
        f"{value[:60]!r}{_form(value, values)} ({count:,})"
        for value, count in zip(values, counts, strict=True)
    ]
    return " and ".join(shown[:_SHOWN])


def _form(value: str, values: list[str]) -> str:
    """Return the Unicode form of a text if another one looks the same."""
    composed = unicodedata.normalize("NFC", value)
    same = [unicodedata.normalize("NFC", other) == composed for other in values]
    if sum(same) < 2:
        return ""
    return " composed (NFC)" if value == composed else " decomposed (NFD)"
