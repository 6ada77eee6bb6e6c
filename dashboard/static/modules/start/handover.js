// A spec on its way from a run's page to the start page.

let waiting = null;

/** Open the start page with this spec in its form. */
export function startWith(spec) {
  waiting = spec;
  location.hash = "#/";
}

export function takeSpec() {
  const spec = waiting;
  waiting = null;
  return spec;
}
