"""Measure the contrast of every visible text of a page, from the computed colours."""

from playwright.sync_api import Page

LEAST = 4.5
"""The least contrast of WCAG 2.2, level AA, here also for large texts."""

_MEASURE = """least => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [r0, g0, b0]) =>
    [[r, r0], [g, g0], [b, b0]].map(([top, base]) => top * a + base * (1 - a));
  const light = (colour) => {
    const [r, g, b] = colour.map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const chain = (element) => (element ? [...chain(element.parentElement), element] : []);
  const ground = (element) => chain(element)
    .map((one) => rgba(getComputedStyle(one).backgroundColor))
    .reduce((base, top) => over(top, base), [255, 255, 255]);
  const isShown = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return element.checkVisibility({ visibilityProperty: true }) && width > 1 && height > 1;
  };
  const contrast = (element) => {
    const style = getComputedStyle(element);
    const opacity = chain(element).reduce((all, one) => all * getComputedStyle(one).opacity, 1);
    const [r, g, b, a] = rgba(element instanceof SVGElement ? style.fill : style.color);
    const base = ground(element);
    const [high, low] = [over([r, g, b, a * opacity], base), base].map(light)
      .toSorted((one, other) => other - one);
    return (high + 0.05) / (low + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const elements = new Set(document.querySelectorAll("input, textarea, select"));
  while (walker.nextNode()) {
    if (walker.currentNode.data.trim()) elements.add(walker.currentNode.parentElement);
  }
  return [...elements].filter(isShown)
    .map((one) => [contrast(one).toFixed(2), one.outerHTML.slice(0, 160)])
    .filter(([ratio]) => ratio < least);
}"""


def low_contrasts(page: Page) -> list[tuple[str, str]]:
    """Return the texts with too little contrast, each with its ratio."""
    found: list[tuple[str, str]] = page.evaluate(_MEASURE, LEAST)
    return found
