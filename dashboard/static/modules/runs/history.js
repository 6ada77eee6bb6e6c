// A run's numbers by epoch, as they are and as they come.

import { find, v1 } from "../api.js";
import { follow } from "../events.js";

/** Columns of numbers that grow: `epochs`, their `fits`, for each metric a list aligned with them. */
export class History {
  epochs = [];
  fits = [];
  metrics = new Map();

  static async load(id, signal) {
    const history = new History();
    const read = await find(v1("runs", id, "history"), signal);
    read?.epoch.forEach((epoch, i) => {
      history.add(epoch, Object.fromEntries(Object.entries(read.history).map(([name, values]) => [name, values[i]])), read.fit?.[i]);
    });
    return history;
  }

  /** One epoch more; one that is known already is left as it is. */
  add(epoch, metrics, fit = 1) {
    if (epoch <= (this.epochs.at(-1) ?? 0)) return;
    this.epochs.push(epoch);
    this.fits.push(fit);
    for (const name of Object.keys(metrics)) {
      if (!this.metrics.has(name)) this.metrics.set(name, new Array(this.epochs.length - 1).fill(NaN));
    }
    for (const [name, values] of this.metrics) values.push(metrics[name] ?? NaN);
  }

  /** Names without `val_`, loss first: each is a chart. */
  get names() {
    const plain = [...this.metrics.keys()].filter((name) => !name.startsWith("val_"));
    return plain.sort((a, b) => (b === "loss") - (a === "loss"));
  }

  /** The first epoch of every fit but the first. */
  get borders() {
    return this.epochs.filter((_, i) => i > 0 && this.fits[i] !== this.fits[i - 1]);
  }

  /** The fit of that epoch (of the last one without it) alone, counted from 1. */
  fitOf(epoch) {
    if (!this.borders.length) return this;
    const fit = this.fits.at(this.epochs.indexOf(epoch));
    const one = new History();
    this.fits.forEach((own, i) => {
      if (own === fit) one.add(one.epochs.length + 1, Object.fromEntries([...this.metrics].map(([name, values]) => [name, values[i]])));
    });
    return one;
  }

  of(name) {
    return this.metrics.get(name) ?? [];
  }
}

/** Hear what happens to a run from behind what its history holds. */
export function followRun(id, history, { epoch, status }, signal) {
  const hear = (type, data) => {
    if (type === "epoch") {
      history.add(data.epoch, data.metrics, data.fit);
      epoch(data);
    } else if (type === "status") status(data);
  };
  return follow(v1("runs", id, "events"), history.epochs.at(-1) ?? 0, hear, signal);
}
