"""The measure of contrast that the tests of all pages use."""

import pytest

from tests.dashboard.contrast import low_contrasts
from tests.dashboard.files import open_blank

pytestmark = [pytest.mark.e2e, pytest.mark.heavy]


@pytest.mark.parametrize(
    ("html", "ratio"),
    [
        ('<p style="color: #888; background: #fff">x</p>', "3.54"),
        ('<p style="color: #000; background: #fff; opacity: 0.4">x</p>', "2.85"),
        (
            '<p style="background: #fff"><i style="color: rgb(0 0 0 / 40%)">x</i></p>',
            "2.85",
        ),
        ('<svg style="background: #fff"><text y="20" fill="#999">x</text></svg>', "2.85"),
        ('<p style="color: #767676; background: #fff">x</p>', None),
        ('<p style="color: #fff; background: #fff; visibility: hidden">x</p>', None),
    ],
)
def test_low_contrast_is_found(page, html, ratio):
    """Colours, opacity and the fill of SVG count; hidden texts do not."""
    open_blank(page)
    page.evaluate("html => document.getElementById('main').innerHTML = html", html)
    assert [found[0] for found in low_contrasts(page)] == ([ratio] if ratio else [])
