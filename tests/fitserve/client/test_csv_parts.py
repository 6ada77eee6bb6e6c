"""Test the division of a large CSV into parts."""

import pytest

from fitserve.client.csv_parts import CsvParts
from fitserve.client.parts import PartSize


@pytest.mark.parametrize("delimiter", ["\t", "\\t"])
def test_a_tab_may_be_written_as_an_escape(tmp_path, delimiter):
    r"""A `t` before a quote does not open a quoted cell where `\t` is the delimiter."""
    file = tmp_path / "rows.tsv"
    file.write_text('name\tsize\ncat" tail\t1\ndog\t2\nfox\t3\n')
    parts = CsvParts(file, {"delimiter": delimiter}, PartSize(num_lines=2))
    try:
        assert parts.first().content == b'name\tsize\ncat" tail\t1\n'
    finally:
        parts.close()
