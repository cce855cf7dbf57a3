// Small helpers around the DOM. Text only ever enters it as text.

export const byId = (id) => document.getElementById(id);

/** `h("p", {class: "x", onclick: f}, "text", node)`. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null)
      element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Writes text only where it differs, so that nothing repaints for nothing. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, visible) {
  element.hidden = !visible;
}

// 20 × 20 outlines, drawn with the colour of the text around them.
const shapes = {
  hand: "M6 10V5.2a1.2 1.2 0 0 1 2.4 0V9m0-.4V3.7a1.2 1.2 0 0 1 2.4 0V9m0-.6"
    + "V4.7a1.2 1.2 0 0 1 2.4 0V10m0-2.3a1.2 1.2 0 0 1 2.4 0v4.6a5 5 0 0 1-5 5"
    + "h-.8a5 5 0 0 1-4-2L3.6 11.6c-.9-1.3.8-2.6 1.8-1.5L6 10.8",
  audio: "M10 2.8a2.4 2.4 0 0 1 2.4 2.4v4.2a2.4 2.4 0 0 1-4.8 0V5.2A2.4 2.4 0 "
    + "0 1 10 2.8zM4.8 9.4a5.2 5.2 0 0 0 10.4 0M10 14.6v2.6",
  video: "M3.6 5.4h7.8a1 1 0 0 1 1 1v7.2a1 1 0 0 1-1 1H3.6a1 1 0 0 1-1-1V6.4a1"
    + " 1 0 0 1 1-1zM12.4 9l5-2.8v7.6l-5-2.8",
  typing: "M3 4.4h14v9H9.6L6 16.6v-3.2H3zM6.8 8.9h.1M10 8.9h.1M13.1 8.9h.1",
  step: "M3 16h4.6v-4h4.4V8h4.4V4.4",
  crown: "M3.2 15.4h13.6M3.4 6.4l3.4 3L10 4.2l3.2 5.2 3.4-3-1.3 6.6H4.7z",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", shapes[name]);
  svg.append(path);
  return svg;
}
