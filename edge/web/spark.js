// The number of people present over the last minutes, as a step line.

// It starts with a minute, and grows as there is more to show.
const min_window_ms = 60_000;
const max_window_ms = 5 * 60_000;
const width = 240;
const height = 44;
const pad = 3;
const max_samples = 600;

export class Sparkline {
  #svg;
  #caption;
  #samples = [];
  #since = null;

  constructor(svg, caption) {
    this.#svg = svg;
    this.#caption = caption;
  }

  clear() {
    this.#samples = [];
    this.#since = null;
  }

  add(value, now) {
    this.#since ??= now;
    const last = this.#samples.at(-1);
    if (last && last.value === value) return;
    this.#samples.push({ at: now, value });
    if (this.#samples.length > max_samples) this.#samples.shift();
  }

  draw(now) {
    const span = Math.min(max_window_ms,
                          Math.max(min_window_ms, now - (this.#since ?? now)));
    const start = now - span;
    // The last sample before the window still gives its left edge.
    while (this.#samples.length > 1 && this.#samples[1].at <= start)
      this.#samples.shift();
    if (this.#samples.length === 0) return;
    const values = this.#samples.map((sample) => sample.value);
    const top = Math.max(1, ...values);
    const x = (at) => (Math.max(at, start) - start) / span * width;
    const y = (value) => height - pad - value / top * (height - 2 * pad);
    const first = this.#samples[0];
    let line = `M${x(first.at).toFixed(1)} ${y(first.value).toFixed(1)}`;
    for (const { at, value } of this.#samples.slice(1))
      line += `H${x(at).toFixed(1)}V${y(value).toFixed(1)}`;
    line += `H${width}`;
    const [area, stroke] = this.#svg.children;
    stroke.setAttribute("d", line);
    area.setAttribute("d", `${line}V${height}H${x(first.at).toFixed(1)}Z`);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const range = low === high ? `${low}` : `${low} to ${high}`;
    const minutes = Math.round(span / 60_000);
    const past = minutes === 1 ? "Last minute" : `Last ${minutes} minutes`;
    const caption = `${past}: ${range} present`;
    if (this.#caption.textContent === caption) return;
    this.#caption.textContent = caption;
    this.#svg.setAttribute("aria-label", caption);
  }
}
