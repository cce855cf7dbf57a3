// Presence over time: the timeline of the session's history as bars, one for
// the most that were here in each step, and the figures of the whole span.

const svg_ns = "http://www.w3.org/2000/svg";
const width = 640;
const height = 120;
const gap = 1;
const steps = 60;
const quiet_ms = 1_500; // after a change, before it is asked for
const again_ms = 30_000; // while nothing changes

const spans = {
  "15": { ms: 15 * 60_000, words: "the last 15 minutes" },
  "60": { ms: 60 * 60_000, words: "the last hour" },
  "1440": { ms: 24 * 60 * 60_000, words: "the last day" },
};

export function spokenTime(ms) {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  return `${Math.round(minutes / 60)} h`;
}

function bar(step, at, top, tip) {
  const rect = document.createElementNS(svg_ns, "rect");
  const tall = step.peak === 0 ? 0 : Math.max(2, step.peak / top * height);
  rect.setAttribute("x", (at * width / steps).toFixed(2));
  rect.setAttribute("width", (width / steps - gap).toFixed(2));
  rect.setAttribute("y", (height - tall).toFixed(2));
  rect.setAttribute("height", tall.toFixed(2));
  rect.dataset.peak = String(step.peak);
  const title = document.createElementNS(svg_ns, "title");
  title.textContent = tip;
  rect.append(title);
  return rect;
}

export class Past {
  #root;
  #session = null;
  #timer = null;
  #askedFor = null;

  /** `root` holds a select, an svg, a figcaption and a dl. */
  constructor(root) {
    this.#root = root;
    this.#part("select").addEventListener("change", () => this.#ask());
  }

  #part(name) {
    return this.#root.querySelector(name);
  }

  follow(session) {
    this.clear();
    this.#session = session;
  }

  clear() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#session = null;
    this.#root.hidden = true;
  }

  /** Something happened: the past is asked for again, but not at once. */
  changed() {
    if (!this.#session) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), quiet_ms);
  }

  async #ask() {
    clearTimeout(this.#timer);
    const session = this.#session;
    if (!session) return;
    const span = spans[this.#part("select").value];
    const bucket_ms = span.ms / steps;
    // Whole steps: bars do not move under the eye.
    const until = (Math.floor(Date.now() / bucket_ms) + 1) * bucket_ms;
    const mine = this.#askedFor = {};
    try {
      const answer = await session.history({
        what: "summary", from: until - span.ms, until, bucket_ms,
      });
      if (mine === this.#askedFor && session === this.#session)
        this.#draw(answer.summary, span);
    } catch {
      // Whoever may not see it is not shown it; what was lost comes again.
      if (mine === this.#askedFor) this.#root.hidden = true;
    }
    if (session === this.#session)
      this.#timer = setTimeout(() => this.#ask(), again_ms);
  }

  #draw(summary, span) {
    const top = Math.max(1, summary.peak);
    const clock = (at) => new Date(at).toLocaleTimeString(
      [], { hour: "2-digit", minute: "2-digit" });
    this.#part("svg").replaceChildren(...summary.timeline.map((step, at) => (
      bar(step, at, top, `${clock(step.at)}: ${step.peak} present, `
        + `${step.joins} came, ${step.leaves} went`)
    )));
    const words = `Over ${span.words}: at most ${summary.peak} at the same `
      + `time, ${summary.unique} in all`;
    this.#part("svg").setAttribute("aria-label", words);
    this.#part("figcaption").textContent = words;
    const figures = {
      unique: summary.unique, peak: summary.peak,
      returns: summary.reconnections, together: spokenTime(summary.dwell_ms),
    };
    for (const [name, value] of Object.entries(figures))
      this.#part(`[data-figure=${name}]`).textContent = String(value);
    this.#root.hidden = false;
  }
}
