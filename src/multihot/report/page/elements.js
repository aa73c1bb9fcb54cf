/* Elements, figures and colours. Text from data only ever becomes a text node, never markup. */

const DATA = JSON.parse(document.getElementById("content").textContent);
const RUNS = DATA.runs;
const SEVERAL = RUNS.length > 1;
const SETS = DATA.labelSets; // null where no run has label sets that mean something

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, inner] of Object.entries(value)) node.style.setProperty(key, inner);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** An HTML element: h("p", {class: "note"}, "text", child, ...). */
function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
function s(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

const known = (value) => value !== null && value !== undefined;
const share = (value, digits = 3) => (known(value) ? value.toFixed(digits) : "–");
const whole = (value) => (known(value) ? Math.round(value).toLocaleString("en") : "–");

function duration(seconds) {
  if (!known(seconds)) return "–";
  if (seconds < 90) return `${seconds.toFixed(1)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function bytes(count) {
  if (!known(count)) return "–";
  return count < 1e9 ? `${(count / 1e6).toFixed(0)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}

const colour = (run) => `var(--run-${run % 8})`;

/** A run's name with its colour. */
function runHead(run) {
  return h("span", { class: "runhead", title: RUNS[run].name, style: { "--run": colour(run) } }, h("bdi", {}, RUNS[run].name));
}

/** Names with the colours and dashes that stand for them: [[name, colour, dashed], ...]. */
function legend(entries) {
  const rows = entries.map(([name, paint, dashed]) =>
    h("li", {}, h("span", { class: dashed ? "swatch dashed" : "swatch", style: { color: paint } }), h("bdi", {}, name)));
  return h("ul", { class: "legend" }, rows);
}

/** A labelled select: choices are [value, text] pairs. */
function select(title, choices, chosen, onchange) {
  const options = choices.map(([value, text]) => h("option", { value, selected: String(value) === String(chosen) }, text));
  return h("label", {}, title, h("select", { onchange: (event) => onchange(event.target.value) }, options));
}

function section(id, title, about, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), h("p", { class: "about" }, about), children);
}

/** Call draw(width) now and whenever the element's width changes. */
function responsive(draw) {
  const box = h("div", { class: "plot" });
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.floor(box.clientWidth);
    if (width && width !== drawn) {
      drawn = width;
      box.replaceChildren(...draw(width));
    }
  }).observe(box);
  return box;
}

/** Between 3 and 6 round numbers that cover a range. */
function ticks(low, high, most = 5) {
  const rough = (high - low || 1) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(Number((k * step).toPrecision(6)));
  return found;
}

/** A share of 1 as people say it; never 0 or 100 % of what is not exactly that. */
function percent(value) {
  const whole = Math.round(100 * value);
  return whole === 0 && value > 0 ? "<1 %" : whole === 100 && value < 1 ? ">99 %" : `${whole} %`;
}

const short = (value) => (Math.abs(value) >= 10000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(4))));
