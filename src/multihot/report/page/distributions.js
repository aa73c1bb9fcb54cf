/* Label distributions: true and predicted ones, whether the expectation holds, and error against the number of training rows. */

const DIST = DATA.distributions;
const AXES = DIST && DIST.positions ? DIST.positions[0].length : 0;
const MOST_BARS = 12;

const placed = (value) => (known(value) ? value.map(short).join(", ") : "–");

function shownNote() {
  const cut = DIST.rows.length < DATA.data.instances;
  return `${cut ? `${whole(DIST.rows.length)} of the ${whole(DATA.data.instances)} instances` : "The instances"} stand in the order of their error, ${cut ? "evenly spaced " : ""}from the smallest to the largest.`;
}

function distributionSection() {
  if (!DIST) return null;
  return section("distributions", "Label distributions", "What each run makes of an instance is a distribution over all labels; a number or one label is then read out of it. " + shownNote(),
    distributionCard(), h("div", { class: "grid", style: { "margin-top": "16px" } }, expectationCards(), sizesCard(), featureCards()));
}

/** The instance that is chosen, by the slider or by name. */
function distributionCard() {
  const rows = DIST.rows.map(([id, truth, value, predicted, error]) => ({ id, truth, value, predicted, error }));
  if (!rows.length) return h("p", { class: "note" }, "The true distribution of no instance is known.");
  const excerpts = new Map(INSTANCES.map((instance) => [instance.id, instance.excerpt]));
  const drawing = h("div", {});
  const told = h("p", { class: "note", role: "status", id: "distribution-told" });
  const show = (number) => {
    const row = rows[number];
    slider.value = number;
    names.querySelector("select").value = number;
    const error = `${measureTitle(DIST.measure)}${SEVERAL ? ", mean over runs," : ""} ${short(row.error)}`;
    told.replaceChildren(h("bdi", {}, row.id), `: ${known(row.value) ? `truly at ${placed(row.value)}; ` : ""}${error}`);
    const excerpt = excerpts.get(row.id);
    const shown = excerpt && (excerpt.startsWith("data:image/") ? h("img", { class: "pictured", src: excerpt, alt: `instance ${row.id}` }) : h("p", { class: "note excerpt", dir: "auto" }, excerpt));
    drawing.replaceChildren(...[shown, AXES === 1 ? onAxis(row) : AXES === 2 ? onPlane(row) : asBars(row)].filter(Boolean));
  };
  const slider = h("input", { type: "range", min: 0, max: rows.length - 1, value: 0, id: "distribution-slider", oninput: () => show(Number(slider.value)) });
  const names = select("Instance", rows.map((row, k) => [k, row.id]), 0, (value) => show(Number(value)));
  show(Math.floor((rows.length - 1) / 2));
  return h("div", { class: "card", id: "distribution-drawing" }, h("div", { class: "controls" }, h("label", { class: "wide" }, "From the smallest error to the largest", slider), names), drawing, told);
}

const AXIS_ORDER = AXES === 1 ? DIST.positions.map(([a], column) => [a, column]).sort((one, other) => one[0] - other[0]) : [];
const dense = ([columns, degrees]) => { const found = new Map(columns.map((column, k) => [column, degrees[k]])); return (column) => found.get(column) || 0; };
const readAs = (entry) => (entry[2] ? `, read as ${placed(entry[2])}` : "");

function onAxis(row) {
  const curve = (entry) => { const of = dense(entry); return AXIS_ORDER.map(([a, column]) => [a, of(column)]); };
  const single = row.truth[0].length < 2; // a spike would flatten all the rest; the upright line says it
  const lines = [{ name: `true${known(row.value) ? `, ${placed(row.value)}` : ""}`, colour: "var(--ink)", points: single ? [] : curve(row.truth), dashed: true }];
  const marks = known(row.value) ? [{ x: row.value[0], colour: "var(--ink)", name: `true: ${placed(row.value)}` }] : [];
  row.predicted.forEach((entry, run) => {
    if (!entry) return;
    lines.push({ name: RUNS[run].name + readAs(entry), colour: colour(run), points: curve(entry) });
    if (entry[2]) marks.push({ x: entry[2][0], colour: colour(run), name: `${RUNS[run].name}${readAs(entry)}` });
  });
  const inside = [AXIS_ORDER[0][0], AXIS_ORDER[AXIS_ORDER.length - 1][0], ...marks.map((mark) => mark.x)];
  return lineChart("True and predicted", lines, { x: "position", y: "degree", xRange: extent(inside), yRange: [0, 1.05 * Math.max(...lines.flatMap((line) => line.points.map(([, b]) => b)))] }, marks);
}

/** The reach of each axis and how far its labels stand apart. */
function planeSpans() {
  const span = (side) => {
    const values = [...new Set(DIST.positions.map((position) => position[side]))].sort((a, b) => a - b);
    const step = Math.min(...values.slice(1).map((value, k) => value - values[k]), Infinity);
    const half = step === Infinity ? 0.5 : step / 2;
    return { step: 2 * half, range: [values[0] - half, values[values.length - 1] + half] };
  };
  return { x: span(1), y: span(0) }; // of pitch and yaw, the yaw goes across
}

function onPlane(row) {
  const spans = planeSpans();
  const map = (title, entry, value) => {
    const of = dense(entry);
    const cells = DIST.positions.map(([y, x], column) => ({ x, y, value: of(column), name: `${DATA.labels[column]}: ${share(of(column))}` }));
    return planeMap(title, cells, spans, { x: "second position (up: first)" }, value && { x: value[1], y: value[0], name: placed(value) });
  };
  return h("div", { class: "grid" }, map(`True${known(row.value) ? `, ${placed(row.value)}` : ""}`, row.truth, row.value),
    row.predicted.map((entry, run) => entry && map(`${RUNS[run].name}${readAs(entry)}`, entry, entry[2])));
}

/** The labels of the largest degrees, with a bar for the truth and one for each run. */
function asBars(row) {
  const parts = [["true", "var(--ink)", dense(row.truth)], ...row.predicted.flatMap((entry, run) => (entry ? [[RUNS[run].name, colour(run), dense(entry)]] : []))];
  const most = (column) => Math.max(...parts.map(([, , of]) => of(column)));
  const labels = DATA.labels.map((_, column) => column).filter((column) => most(column) > 0).sort((a, b) => most(b) - most(a) || a - b);
  const bars = labels.slice(0, MOST_BARS).map((column) => [
    h("div", { class: "group" }, h("bdi", {}, DATA.labels[column])),
    h("div", { class: "runs" }, parts.map(([name, paint, of]) => h("div", { class: "bar", title: `${name}: ${share(of(column))}` }, h("i", { style: { width: `${100 * of(column)}%`, "--run": paint } })))),
    h("div", { class: "figure" }, parts.map(([, , of]) => h("div", { class: "small" }, share(of(column)))))]);
  const rest = labels.length - MOST_BARS;
  return h("figure", {}, h("h3", {}, "True and predicted"), h("div", { class: "bars" }, bars), legend(parts.map(([name, paint]) => [name, paint])),
    rest > 0 ? h("p", { class: "note" }, `and ${rest} labels of smaller degrees`) : null);
}

/** Mean true position over mean expectation, one drawing an axis. */
function expectationCards() {
  if (!DIST.expectation) return [];
  return Array.from({ length: AXES || 1 }, (_, axis) => {
    const present = RUNS.map((run, i) => ({ name: run.name, i, of: DIST.expectation[i] && DIST.expectation[i][axis] })).filter((run) => run.of);
    const both = present.flatMap(({ of }) => of.bins.flatMap(([, , , promised, real]) => [promised, real]));
    const range = roomy(extent(both));
    const lines = present.map(({ name, i, of }) => ({ name: `${name}, off by ${short(of.error)}`, colour: colour(i), points: of.bins.map(([, , , promised, real]) => [promised, real]) }));
    const marks = present.flatMap(({ name, i, of }) => {
      const most = Math.max(...of.bins.map(([, , count]) => count));
      return of.bins.map(([, , count, promised, real]) => ({ x: promised, y: real, colour: colour(i), r: 2.5 + 5 * Math.sqrt(count / most), name: `${name}: expectation ${short(promised)}, truly ${short(real)}, ${whole(count)} instances` }));
    });
    const title = `Expectation and truth${AXES > 1 ? `, axis ${axis + 1}` : ""}`;
    const diagonal = { name: "exactly as expected", colour: "var(--faint)", points: range.map((value) => [value, value]) };
    return h("div", { class: "card expectation" }, lineChart(title, [diagonal, ...lines], { x: "mean expectation", y: "mean true position", xRange: range, yRange: range }, marks, null, 300),
      h("details", {}, h("summary", {}, "Bins and how full they are"), h("div", { class: "scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, [SEVERAL ? "run" : null, "expectation", "instances", "mean", "true"].filter(known).map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, present.flatMap(({ i, of }) => of.bins.map(([from, to, count, promised, real]) => h("tr", {},
          SEVERAL ? h("td", {}, runHead(i)) : null, h("td", {}, `${short(from)} to ${short(to)}`), h("td", {}, whole(count)), h("td", {}, short(promised)), h("td", {}, short(real))))))))));
  });
}

/** Error against training size: a line a method, its mean and deviation over seeds. */
function sizesCard() {
  if (!DIST.sizes) return null;
  const { measure, methods } = DIST.sizes;
  const sizes = [...new Set(methods.flatMap(({ points }) => points.map(([size]) => size)))].sort((a, b) => a - b);
  const title = `${measureTitle(measure)} and training rows`;
  const lines = methods.map(({ name, points }, k) => ({ name, colour: colour(k), points: points.map(([size, mean]) => [Math.log(size), mean]) }));
  const marks = methods.flatMap(({ name, points }, k) => points.map(([size, mean, deviation, seeds]) => ({
    x: Math.log(size), y: mean, colour: colour(k), r: 4, name: `${name}: ${whole(size)} rows, ${share(mean)}${known(deviation) ? ` ± ${share(deviation)} over ${seeds} seeds` : ""}`,
    low: known(deviation) ? mean - deviation : null, high: known(deviation) ? mean + deviation : null })));
  const reach = marks.flatMap((mark) => [mark.y, mark.low, mark.high]).filter(known);
  const axis = { x: "training rows", xRange: roomy(extent(sizes.map(Math.log))), yRange: roomy(extent(reach)), xTicks: sizes.map(Math.log), xText: (value) => whole(Math.exp(value)) };
  const cell = (points, size) => { const at = points.find(([rows]) => rows === size); return at ? `${share(at[1])}${known(at[2]) ? ` ± ${share(at[2])}` : ""}` : "–"; };
  return h("div", { class: "card", id: "training-sizes" }, lineChart(title, lines, axis, marks),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["method", ...sizes.map(whole)].map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, methods.map(({ name, points }) => h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, name)), sizes.map((size) => h("td", {}, cell(points, size)))))))),
    h("p", { class: "note" }, methods.some(({ points }) => points.some(([, , deviation]) => known(deviation))) ? "± is the standard deviation over seeds." : "One seed of each."));
}
