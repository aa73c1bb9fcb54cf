/* Drawings: lines over a common axis, and shaded squares. */

const MARGIN = { top: 8, right: 12, bottom: 34, left: 40 };

function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low === Infinity ? [0, 1] : low === high ? [low - 0.5, high + 0.5] : [low, high];
}

const roomy = ([low, high]) => [low - 0.05 * (high - low), high + 0.05 * (high - low)];

function axes(width, height, x, y, names) {
  const across = (names.xTicks || ticks(...x.range, width < 420 ? 4 : 6)).map((value) => s("g", {},
    s("line", { class: "axis", x1: x(value), x2: x(value), y1: height - MARGIN.bottom, y2: height - MARGIN.bottom + 4 }),
    s("text", { x: x(value), y: height - MARGIN.bottom + 16, "text-anchor": "middle" }, (names.xText || short)(value))));
  const up = ticks(...y.range, 5).map((value) => s("g", {},
    s("line", { class: "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
    s("text", { x: MARGIN.left - 7, y: y(value) + 4, "text-anchor": "end" }, short(value))));
  const title = s("text", { x: width - MARGIN.right, y: height - 3, "text-anchor": "end" }, names.x);
  return [up, across, title];
}

function scale(range, from, to) {
  const place = (value) => from + ((value - range[0]) / (range[1] - range[0])) * (to - from);
  place.range = range;
  return place;
}

function path(points, x, y) {
  return points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
}

/**
 * A figure with lines. lines: {name, points: [[x, y]], colour, dashed}; marks: {x, y, colour, name, r} drawn as points, or {x} as an
 * upright line, with low and high joined through the point; axis: {x, y} names, xRange and yRange where they are fixed, xTicks and
 * xText (value -> words) where x is not what stands beneath; aside: a control beside the title.
 */
function lineChart(title, lines, axis, marks = [], aside = null, height = 260) {
  const drawn = lines.filter((line) => line.points.length);
  const xs = axis.xRange || extent(drawn.flatMap((line) => line.points.map(([a]) => a)));
  const ys = axis.yRange || roomy(extent(drawn.flatMap((line) => line.points.map(([, b]) => b))));
  const box = responsive((width) => {
    const x = scale(xs, MARGIN.left, width - MARGIN.right);
    const y = scale(ys, height - MARGIN.bottom, MARGIN.top);
    const curves = drawn.map((line) => s("path", {
      d: path(line.points, x, y), fill: "none", "stroke-width": 2, "stroke-linejoin": "round", "stroke-dasharray": line.dashed ? "5 4" : null,
      style: { stroke: line.colour },
    }));
    const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": describe(title, drawn, axis) },
      axes(width, height, x, y, axis), curves, marks.map((mark) => drawMark(mark, x, y, height)));
    const tip = h("div", { class: "tip", hidden: true });
    follow(picture, tip, drawn, x, y, axis);
    return [picture, tip];
  });
  return h("figure", {}, h("figcaption", {}, h("h3", {}, title), aside), box,
    lines.length > 1 || marks.length ? legend(lines.map((line) => [line.name, line.colour, line.dashed])) : null);
}

function describe(title, lines, axis) {
  const ends = lines.map((line) => `${line.name} ends at ${short(line.points[line.points.length - 1][1])}`);
  return `${title}: ${axis.y || "value"} over ${axis.x}. ${ends.slice(0, 8).join("; ")}`;
}

function drawMark(mark, x, y, height) {
  if (!known(mark.y)) {
    return s("line", {
      x1: x(mark.x), x2: x(mark.x), y1: MARGIN.top, y2: height - MARGIN.bottom, "stroke-width": 1.5, "stroke-dasharray": "2 3",
      style: { stroke: mark.colour },
    }, s("title", {}, mark.name));
  }
  const point = s("circle", { class: "chosen", cx: x(mark.x), cy: y(mark.y), r: mark.r || 5.5, "stroke-width": 2, style: { fill: mark.colour, stroke: "var(--card)" } },
    s("title", {}, mark.name));
  if (!known(mark.low)) return point;
  return s("g", {}, s("line", { x1: x(mark.x), x2: x(mark.x), y1: y(mark.low), y2: y(mark.high), "stroke-width": 1.5, style: { stroke: mark.colour } }), point);
}

function follow(picture, tip, lines, x, y, axis) {
  picture.addEventListener("pointermove", (event) => {
    const frame = picture.getBoundingClientRect();
    const [left, top] = [event.clientX - frame.left, event.clientY - frame.top];
    let nearest = null;
    for (const line of lines) {
      for (const [a, b] of line.points) {
        const away = Math.hypot(x(a) - left, y(b) - top);
        if (!nearest || away < nearest.away) nearest = { away, line, a, b };
      }
    }
    tip.hidden = !nearest || nearest.away > 40;
    if (tip.hidden) return;
    tip.textContent = `${nearest.line.name}: ${axis.x} ${(axis.xText || short)(nearest.a)}, ${axis.y ? `${axis.y} ` : ""}${short(nearest.b)}`;
    const right = x(nearest.a) > frame.width / 2;
    tip.style.left = right ? "auto" : `${x(nearest.a) + 10}px`;
    tip.style.right = right ? `${frame.width - x(nearest.a) + 10}px` : "auto";
    tip.style.top = `${Math.max(0, y(nearest.b) - 34)}px`;
  });
  picture.addEventListener("pointerleave", () => { tip.hidden = true; });
}

/** Squares shaded by values in [0, 1]; tell(i, j) says in words what a square means. */
function heatMap(title, names, values, tell) {
  const box = responsive((width) => {
    const left = Math.min(120, width * 0.3);
    const size = (width - left - 0.3 * left) / names.length; // slanted names need room on the right
    const letters = Math.max(3, Math.floor(left / 6.2));
    const cut = (name) => ([...name].length > letters ? `${[...name].slice(0, letters - 1).join("")}…` : name);
    const top = left * 0.75;
    const cells = values.flatMap((row, i) => row.map((value, j) => s("rect", {
      class: "cell", x: left + j * size, y: top + i * size, width: size, height: size, rx: 2,
      style: { fill: i === j ? "var(--wash)" : `rgba(var(--heat), ${(0.04 + 0.96 * Math.min(1, value)).toFixed(3)})` },
    }, s("title", {}, tell(i, j)))));
    const rows = names.map((name, i) => s("text", { class: "name", x: left - 6, y: top + (i + 0.5) * size + 4, "text-anchor": "end" }, cut(name)));
    const columns = names.map((name, j) => {
      const [a, b] = [left + (j + 0.5) * size, top - 6];
      return s("text", { class: "name", x: a, y: b, transform: `rotate(-50 ${a} ${b})` }, cut(name));
    });
    const height = top + size * names.length + 2;
    return [s("svg", { class: "heat", viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": title }, cells, rows, columns)];
  });
  return h("figure", {}, h("figcaption", {}, h("h3", {}, title)), box);
}

/** Points where only their neighbourhood means something; both axes have one scale. points: {x, y, colour, name}. */
function scatter(title, points, aside, key) {
  const box = responsive((width) => {
    const spans = ["x", "y"].map((side) => roomy(extent(points.map((point) => point[side]))));
    const size = Math.min((width - 8) / (spans[0][1] - spans[0][0]), 420 / (spans[1][1] - spans[1][0]));
    const height = Math.max(120, size * (spans[1][1] - spans[1][0]));
    const left = (width - size * (spans[0][1] - spans[0][0])) / 2;
    const dots = points.map((point) => s("circle", {
      class: "dot", cx: (left + size * (point.x - spans[0][0])).toFixed(1), cy: (size * (spans[1][1] - point.y)).toFixed(1), r: points.length > 300 ? 3 : 4,
      style: { fill: point.colour },
    }, s("title", {}, point.name)));
    return [s("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": `${title}: ${points.length} instances` }, dots)];
  });
  return h("figure", {}, h("figcaption", {}, h("h3", {}, title), aside), box, key);
}

/** Squares on a plane, shaded by their share of the largest. cells: {x, y, value, name}; mark: {x, y, name}, a ring. */
function planeMap(title, cells, spans, names, mark) {
  const most = Math.max(...cells.map((cell) => cell.value), 1e-9);
  const box = responsive((width) => {
    const height = Math.min(300, Math.max(180, width * 0.6));
    const x = scale(spans.x.range, MARGIN.left, width - MARGIN.right);
    const y = scale(spans.y.range, height - MARGIN.bottom, MARGIN.top);
    const [wide, high] = [Math.abs(x(spans.x.step) - x(0)), Math.abs(y(spans.y.step) - y(0))];
    const squares = cells.map((cell) => s("rect", {
      x: x(cell.x) - wide / 2, y: y(cell.y) - high / 2, width: wide, height: high, style: { fill: `rgba(var(--heat), ${(0.05 + 0.95 * cell.value / most).toFixed(3)})` },
    }, s("title", {}, cell.name)));
    const ring = mark && s("circle", { cx: x(mark.x), cy: y(mark.y), r: 6, fill: "none", "stroke-width": 2.5, style: { stroke: "var(--run-1)" } }, s("title", {}, mark.name));
    return [s("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": title }, axes(width, height, x, y, names), squares, ring)];
  });
  return h("figure", {}, h("figcaption", {}, h("h3", {}, title)), box);
}
