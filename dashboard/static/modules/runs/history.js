// A run's metrics by epoch, loaded once and then updated from events.

import { find, v1 } from "../api.js";
import { follow } from "../events.js";

/** The epochs so far: `epochs`, their `fits`, and a list of the same length per metric. */
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

  /** Add an epoch. Ignore an epoch that was added before. */
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

  /** Return the metric names without `val_`, loss first. Each name has a chart. */
  get names() {
    const plain = [...this.metrics.keys()].filter((name) => !name.startsWith("val_"));
    return plain.toSorted((a, b) => (b === "loss") - (a === "loss"));
  }

  /** Return the index of the first epoch of each fit, except the first fit. */
  get starts() {
    return [...this.epochs.keys()].filter((i) => i > 0 && this.fits[i] !== this.fits[i - 1]);
  }

  /** Return each started fit: its epochs, and whether its last loss is a finite number. */
  get pieces() {
    const ends = [0, ...this.starts, this.epochs.length];
    const piece = (end, i) => ({
      fit: this.fits[ends[i]], first: this.epochs[ends[i]], last: this.epochs[end - 1],
      length: end - ends[i], isFinite: Number.isFinite(this.of("loss")[end - 1]),
    });
    return this.epochs.length ? ends.slice(1).map(piece) : [];
  }

  /** Return an epoch's fit and its number in that fit, both from 1; null if unknown. */
  placeOf(epoch) {
    const piece = this.pieces.find(({ first, last }) => first <= epoch && epoch <= last);
    return piece ? { fit: piece.fit, own: epoch - piece.first + 1 } : null;
  }

  /** Return the history of one fit: the fit of `epoch`, or the last fit if it is null. */
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

/** Add new epochs to a run's history, and call `epoch` or `status` for each event. */
export function followRun(id, history, { epoch, status }, signal) {
  const report = (type, data) => {
    if (type === "status") status(data);
    if (type !== "epoch") return;
    history.add(data.epoch, data.metrics, data.fit);
    epoch(data);
  };
  return follow(v1("runs", id, "events"), history.epochs.at(-1) ?? 0, report, signal);
}
