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

  /** Where fits begin, but for the first: indices. */
  get starts() {
    return [...this.epochs.keys()].filter((i) => i > 0 && this.fits[i] !== this.fits[i - 1]);
  }

  /** Each fit that has begun: its epochs, and whether its loss was a number to the end. */
  get pieces() {
    const ends = [0, ...this.starts, this.epochs.length];
    return this.epochs.length ? ends.slice(1).map((end, i) => ({
      fit: this.fits[ends[i]], first: this.epochs[ends[i]], last: this.epochs[end - 1], length: end - ends[i], isFinite: Number.isFinite(this.of("loss")[end - 1]),
    })) : [];
  }

  /** The fit of an epoch, from 1, and the epoch's number in it; null of one that is not known. */
  placeOf(epoch) {
    const piece = this.pieces.find(({ first, last }) => first <= epoch && epoch <= last);
    return piece ? { fit: piece.fit, own: epoch - piece.first + 1 } : null;
  }

  /** The fit of that epoch (of the last one without it) alone, counted from 1. */
  fitOf(epoch) {
    if (!this.starts.length) return this;
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
