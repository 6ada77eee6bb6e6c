// A run's numbers by epoch, as they are and as they come.

import { find, v1 } from "../api.js";
import { follow } from "../events.js";

/** Columns that grow: `epochs`, their `fits`, and for each metric a list aligned with them. */
export class History {
  epochs = [];
  fits = [];
  metrics = new Map();

  static async load(id, signal) {
    const history = new History();
    const read = await find(v1("runs", id, "history"), signal);
    const columns = Object.entries(read?.history ?? {});
    read?.epoch.forEach((epoch, i) => history.add(epoch, rowAt(columns, i), read.fit?.[i]));
    return history;
  }

  /** Add an epoch; one that is known already is left as it is. */
  add(epoch, metrics, fit = 1) {
    if (epoch <= (this.epochs.at(-1) ?? 0)) return;
    this.epochs.push(epoch);
    this.fits.push(fit);
    for (const name of Object.keys(metrics)) {
      if (!this.metrics.has(name)) {
        this.metrics.set(name, new Array(this.epochs.length - 1).fill(NaN));
      }
    }
    for (const [name, values] of this.metrics) values.push(metrics[name] ?? NaN);
  }

  /** Names without `val_`, loss first: each is a chart. */
  get names() {
    const plain = [...this.metrics.keys()].filter((name) => !name.startsWith("val_"));
    return plain.toSorted((a, b) => (b === "loss") - (a === "loss"));
  }

  /** The indices where fits begin, except the first. */
  get starts() {
    return [...this.epochs.keys()].filter((i) => i > 0 && this.fits[i] !== this.fits[i - 1]);
  }

  /** Each fit that has begun: its epochs, and whether its last loss is a finite number. */
  get pieces() {
    const ends = [0, ...this.starts, this.epochs.length];
    const piece = (end, i) => ({
      fit: this.fits[ends[i]], first: this.epochs[ends[i]], last: this.epochs[end - 1],
      length: end - ends[i], isFinite: Number.isFinite(this.of("loss")[end - 1]),
    });
    return this.epochs.length ? ends.slice(1).map(piece) : [];
  }

  /** Return the fit of an epoch, from 1, and the epoch's number in it; null if unknown. */
  placeOf(epoch) {
    const piece = this.pieces.find(({ first, last }) => first <= epoch && epoch <= last);
    return piece ? { fit: piece.fit, own: epoch - piece.first + 1 } : null;
  }

  /** Return the fit of an epoch alone (without one the last fit), counted from 1. */
  fitOf(epoch) {
    if (!this.starts.length) return this;
    const fit = this.fits.at(this.epochs.indexOf(epoch));
    const one = new History();
    this.fits.forEach((own, i) => {
      if (own === fit) one.add(one.epochs.length + 1, rowAt([...this.metrics], i));
    });
    return one;
  }

  of(name) {
    return this.metrics.get(name) ?? [];
  }
}

function rowAt(columns, i) {
  return Object.fromEntries(columns.map(([name, values]) => [name, values[i]]));
}

/** Add a run's new epochs to its history, and call `epoch` and `status` with each event. */
export function followRun(id, history, { epoch, status }, signal) {
  const report = (type, data) => {
    if (type === "status") status(data);
    if (type !== "epoch") return;
    history.add(data.epoch, data.metrics, data.fit);
    epoch(data);
  };
  return follow(v1("runs", id, "events"), history.epochs.at(-1) ?? 0, report, signal);
}
