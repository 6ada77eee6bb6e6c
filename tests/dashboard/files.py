"""Serve the files of the page to a browser without a service."""

from playwright.sync_api import Page, Route

from tests.e2e_service import ROOT

ORIGIN = "http://page.test"
STATIC = ROOT / "dashboard" / "static"
_BLANK = """<!doctype html><html lang="en"><title>files</title>
<link rel="stylesheet" href="/dashboard/styles.css">
<link rel="stylesheet" href="/dashboard/charts.css"><main id="main"></main>
<div id="connection"></div><div id="announcer"></div></html>"""


def open_blank(page: Page, width: int = 1280) -> None:
    """Open a blank page that can import the modules of the dashboard."""
    page.set_viewport_size({"width": width, "height": 900})
    page.route(f"{ORIGIN}/**", _answer)
    page.goto(f"{ORIGIN}/")


def _answer(route: Route) -> None:
    path = route.request.url.removeprefix(f"{ORIGIN}/")
    if not path:
        route.fulfill(body=_BLANK, content_type="text/html")
    else:
        route.fulfill(path=STATIC / path.removeprefix("dashboard/"))
