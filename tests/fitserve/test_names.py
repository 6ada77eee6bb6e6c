"""References to versions of datasets."""

import pytest

from fitserve.names import Reference, parse_reference, version_ref


def test_a_reference_to_a_version_is_read_as_that_version():
    ref = version_ref("houses", 12)
    assert ref == "houses@12"
    assert parse_reference(ref) == Reference("houses", 12)


@pytest.mark.parametrize("ref", ["houses", "ds_1", "houses@", "houses@two", "houses@²", "houses@" + "1" * 10])  # fmt: skip
def test_other_texts_are_names(ref):
    assert parse_reference(ref) == Reference(ref)
