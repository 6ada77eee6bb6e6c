"""Measure the page in Chromium: its first paint, scrolling, and drawing.

`python -m benchmarks.page URL [RUN]` prints milliseconds. The service at URL should have
many runs; the run RUN should have thousands of epochs.
"""

import shutil
import statistics
import sys
from collections.abc import Callable

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCROLL = """async () => {
  const more = () => document.querySelector(".more");
  while (!more().hidden) {
    more().scrollIntoView();
    await new Promise(requestAnimationFrame);
  }
  scrollTo(0, 0);
  const tasks = [0];
  const add = (list) => tasks.push(...list.getEntries().map((e) => e.duration));
  new PerformanceObserver(add).observe({type: "longtask"});
  const gaps = [];
  let last = performance.now();
  while (scrollY + innerHeight < document.documentElement.scrollHeight - 2) {
    scrollBy(0, 400);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    gaps.push(now - last);
    last = now;
  }
  gaps.sort((a, b) => a - b);
  const rows = document.querySelectorAll("tbody tr").length;
  await new Promise((resolve) => setTimeout(resolve, 500));
  return [rows, gaps[gaps.length >> 1], gaps.at(-1), Math.max(...tasks)];
}"""
LONGEST = """() => new Promise((resolve) => {
  const found = [0];
  const add = (list) => found.push(...list.getEntries().map((e) => e.duration));
  new PerformanceObserver(add)
    .observe({type: "longtask", buffered: true});
  setTimeout(() => resolve(Math.max(...found)), 1500);
})"""


def fresh(browser: Browser, url: str, wanted: str) -> Page:
    """Open a page in a context without a cache."""
    page = browser.new_context().new_page()
    page.goto(url)
    page.wait_for_selector(wanted)
    return page


def first_view(browser: Browser, url: str) -> float:
    page = fresh(browser, url, "main h1")
    return float(
        page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
    )


def shown(browser: Browser, url: str) -> float:
    """Return the milliseconds until the first page and its modules are loaded."""
    page = fresh(browser, url, "main h1")
    return float(page.evaluate("performance.now()"))


def report(name: str, measure: Callable[[], float], times: int = 5) -> None:
    values = [measure() for _ in range(times)]
    print(f"{name}: median {statistics.median(values):.0f} ms, most {max(values):.0f} ms")


def main(url: str, run: str | None) -> None:
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        report("first paint", lambda: first_view(browser, url))
        report("start page shown", lambda: shown(browser, url))
        rows, median, most, task = fresh(browser, f"{url}/#/runs", "tbody tr").evaluate(
            SCROLL
        )
        print(
            f"{rows} runs scrolled: median frame {median:.1f} ms, longest {most:.1f} ms, "
            f"longest task {task:.0f} ms (0: none over 50)"
        )
        if run is not None:
            page = fresh(browser, f"{url}/#/runs/{run}", ".line")
            print(f"run drawn: longest task {page.evaluate(LONGEST):.0f} ms")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2] if len(sys.argv) > 2 else None)
