/* Headline measures, cost, training curves and breakdowns. */

/* What is said of a metric: title, explanation, which values are better, whether it is bounded. */
const METRICS = DATA.metrics;
const measureTitle = (name) => (METRICS[name] || { title: name }).title;

/** A point in its interval, on a common scale. */
function track(value, interval, [low, high], run) {
  const place = (x) => `${(100 * (x - low)) / (high - low || 1)}%`;
  const band = interval && h("span", { class: "band", style: { left: place(interval[0]), width: `${(100 * (interval[1] - interval[0])) / (high - low || 1)}%` } });
  return h("div", { class: "track", "aria-hidden": "true", style: { color: colour(run) } }, band, h("span", { class: "point", style: { left: place(value) } }));
}

const rangeText = (interval) => (interval ? `${share(interval[0])} to ${share(interval[1])}` : "");

function tiles() {
  const [run] = RUNS;
  return h("div", { class: "tiles" }, DATA.headlines.filter((name) => known(run.measures[name])).map((name) =>
    h("div", { class: "card tile" },
      h("div", { class: "name" }, measureTitle(name)),
      h("div", { class: "value" }, share(run.measures[name])),
      !METRICS[name].bounded ? null : track(run.measures[name], run.intervals[name], [0, 1], 0),
      h("div", { class: "range" }, rangeText(run.intervals[name]) || "\u00a0"),
      h("div", { class: "small" }, METRICS[name].explanation))));
}

/** The columns that hold the best value of a row; none where all are equal. */
function best(name, values) {
  const given = values.filter(known);
  if (METRICS[name].better === "neither" || given.length < 2) return new Set();
  const top = METRICS[name].better === "lower" ? Math.min(...given) : Math.max(...given);
  return given.every((value) => value === top) ? new Set() : new Set(values.flatMap((value, run) => (value === top ? [run] : [])));
}

function measuresTable(names, withIntervals, further = []) {
  const rows = names.map((name) => {
    const values = RUNS.map((run) => run.measures[name]);
    const winners = best(name, values);
    const reach = RUNS.flatMap((run) => [...(run.intervals[name] || []), run.measures[name]].filter(known));
    const span = roomy(extent(reach));
    return h("tr", {}, h("th", { scope: "row" }, measureTitle(name), withIntervals && METRICS[name].explanation ? h("div", { class: "small" }, METRICS[name].explanation) : null),
      RUNS.map((run, i) => h("td", { class: winners.has(i) ? "best" : null }, share(values[i], withIntervals ? 3 : 4),
        withIntervals && known(values[i]) ? [track(values[i], run.intervals[name], span, i), h("div", { class: "range small" }, rangeText(run.intervals[name]))] : null)));
  });
  return runsTable("measure", [...rows, ...further]);
}

function runsTable(first, rows) {
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, first), RUNS.map((_, run) => h("th", { scope: "col" }, SEVERAL ? runHead(run) : "value")))),
    h("tbody", {}, rows)));
}

/** The mean of five measures and the rank averaged over them, for runs side by side. */
function fiveRows() {
  if (!SETS || !SETS.five) return [];
  const row = (title, about, values, top, digits) => h("tr", {}, h("th", { scope: "row" }, title, h("div", { class: "small" }, about)),
    values.map((value) => h("td", { class: value === top ? "best" : null }, share(value, digits))));
  const { mean, rank, measures } = SETS.five;
  return [row("Mean of five", `of ${measures.map((name) => measureTitle(name)).join(", ")}`, mean, Math.max(...mean), 3),
    row("Average rank", "over the same five; 1 is the best", rank, Math.min(...rank), 2)];
}

/* What the network computed in while it trained; methods without a network have none. */
function precision(spent, run) {
  const name = run.settings.training.precision;
  return spent.updates ? { "32-true": "fp32", "bf16-mixed": "bfloat16, mixed" }[name] || name : "–";
}

function cost() {
  const rows = [
    ["Training time", (spent) => duration(spent.seconds)], ["Parameters", (spent) => whole(spent.parameters)],
    ["Decoding", (spent) => duration(spent.decoding_seconds)], ["Peak memory", (spent) => bytes(spent.peak_memory_bytes)], ["Predictions per second", (spent) => whole(spent.predictions_per_second)],
    ["Precision", precision],
  ];
  if (SEVERAL) {
    return h("div", { class: "card" }, h("h3", {}, "Cost"), runsTable("", rows.map(([title, show]) =>
      h("tr", {}, h("th", { scope: "row" }, title), RUNS.map((run) => h("td", {}, show(run.cost, run)))))));
  }
  return h("dl", { class: "card facts" }, rows.map(([title, show]) => h("div", {}, h("dt", { class: "small" }, title), h("dd", {}, show(RUNS[0].cost, RUNS[0])))));
}

function overview() {
  const names = [...new Set(RUNS.flatMap((run) => Object.keys(run.measures)))];
  const all = h("details", { class: "card" }, h("summary", {}, `All ${names.length} measures`), measuresTable(names, false));
  const about = `Measured on the ${DATA.split} split: ${whole(DATA.data.instances)} instances ${DATA.split === "test" ? "that no training saw" : "that also chose weights and thresholds, so figures flatter"}. Bands are 95 % bootstrap intervals over instances: how much a figure would move with other instances of the same kind${SEVERAL ? "; the best value of a row is bold" : ""}.`;
  const headline = SEVERAL ? h("div", { class: "card" }, measuresTable(DATA.headlines.filter((name) => RUNS.some((run) => known(run.measures[name]))), true, fiveRows())) : tiles();
  return section("overview", "Measures", about, headline, cost(), all);
}

function training() {
  const trained = RUNS.map((run, i) => ({ ...run.training, name: run.name, i })).filter((run) => run.losses);
  if (!trained.length) return null;
  const label = (run, name) => (SEVERAL ? `${run.name}, ${name}` : name);
  const losses = trained.flatMap((run) => Object.entries(run.losses).map(([name, [xs, ys]]) => ({
    name: label(run, name.replace("/", " ")), points: xs.map((x, k) => [x, ys[k]]), colour: colour(run.i), dashed: !name.startsWith("training"),
  })));
  const names = [...new Set(trained.flatMap((run) => Object.keys(run.measures)))];
  const box = h("div", {});
  const show = (measure) => {
    const lines = trained.filter((run) => run.measures[measure]).map((run) => {
      const [xs, ys] = run.measures[measure];
      return { name: run.name, points: xs.map((x, k) => [x, ys[k]]), colour: colour(run.i), kept: run.best };
    });
    const others = trained.flatMap((run) => Object.entries((run.readings || {})[measure] || {}).map(([reading, [xs, ys]]) =>
      ({ name: label(run, `read by ${reading}`), points: xs.map((x, k) => [x, ys[k]]), dashed: true })));
    others.forEach((line, k) => { line.colour = colour(RUNS.length + k); });
    const marks = lines.filter((line) => known(line.kept)).map((line) => {
      const [x, y] = line.points.reduce((near, point) => (Math.abs(point[0] - line.kept) < Math.abs(near[0] - line.kept) ? point : near));
      return { x, y, colour: line.colour, name: `${line.name}: kept, update ${line.kept}` };
    });
    const choose = names.length > 1 && select("Measure", names.map((name) => [name, measureTitle(name)]), measure, show);
    box.replaceChildren(lineChart(`Validation ${measureTitle(measure)}`, [...lines, ...others], { x: "update" }, marks, choose));
  };
  if (names.length) show(["mean_absolute_error", "kullback_leibler", "micro_f1"].find((name) => names.includes(name)) || names[0]);
  return section("training", "Training", "How the loss and the validation measures went. The point marks the weights that were kept.",
    h("div", { class: "grid" }, h("div", { class: "card" }, lineChart("Loss", losses, { x: "update" })), names.length ? h("div", { class: "card" }, box) : null, reportedCard(trained)));
}

/** What the objectives reported beside their losses, one kind at a time. */
function reportedCard(trained) {
  const titles = [...new Set(trained.flatMap((run) => Object.keys(run.reported || {})))];
  if (!titles.length) return null;
  const box = h("div", {});
  const show = (title) => {
    const lines = trained.flatMap((run) => Object.entries((run.reported || {})[title] || {}).map(([name, [xs, ys]]) =>
      ({ name: SEVERAL ? `${run.name}, ${name}` : name, points: xs.map((x, k) => [x, ys[k]]), run: run.i })));
    const single = new Set(lines.map((line) => line.run)).size === lines.length;
    lines.forEach((line, k) => { line.colour = colour(single ? line.run : k); });
    const choose = titles.length > 1 && select("Shown", titles.map((each) => [each, each]), title, show);
    box.replaceChildren(lineChart(title === "Discriminator" ? "Discriminator: mean score of each kind of pair" : title, lines, { x: "update" }, [], choose));
  };
  show(titles.includes("Discriminator") ? "Discriminator" : titles[0]);
  return h("div", { class: "card" }, box);
}

/** Groups with one bar a run: groups are [name, remark, [value a run]]. */
function barGroups(title, about, groups) {
  const bars = groups.map(([name, remark, values]) => [
    h("div", { class: "group" }, name, h("div", { class: "small" }, remark)),
    h("div", { class: "runs" }, values.map((value, run) => h("div", { class: "bar", title: `${RUNS[run].name}: ${share(value)}` },
      known(value) ? h("i", { style: { width: `${100 * value}%`, "--run": colour(run) } }) : null))),
    h("div", { class: "figure" }, values.map((value) => h("div", { class: SEVERAL ? "small" : null }, share(value)))),
  ]);
  return h("div", { class: "card" }, h("h3", {}, title), h("p", { class: "small" }, about), h("div", { class: "bars" }, bars));
}

function breakdowns() {
  if (!SETS) return null;
  const parts = RUNS.map((run) => run.breakdowns);
  const [first] = parts;
  const { head, medium } = DATA.groups;
  const range = { head: `${head} or more in training`, medium: `${medium} to ${head - 1}`, tail: `fewer than ${medium}` };
  const labels = Object.keys(first.by_frequency).filter((group) => first.by_frequency[group].num_labels).map((group) =>
    [group, `${range[group]}; ${whole(first.by_frequency[group].num_labels)} labels`, parts.map((part) => part.by_frequency[group].macro_f1)]);
  const names = { seen: "label set seen", unseen: "never seen" };
  const sets = Object.keys(first.seen_unseen).filter((group) => first.seen_unseen[group].num_examples).map((group) =>
    [names[group], `${whole(first.seen_unseen[group].num_examples)} instances`, parts.map((part) => part.seen_unseen[group].example_f1)]);
  const bins = first.by_set_frequency.map((bin, k) => bin.num_examples > 0 && [
    bin.to === null ? `${bin.from} or more` : bin.to === bin.from ? String(bin.from) : `${bin.from} to ${bin.to}`,
    `${whole(bin.num_examples)} instances`, parts.map((part) => part.by_set_frequency[k].example_f1)]).filter(Boolean);
  const produced = [
    ["Different label sets given", "distinct"], ["of them never in training", "unseen"], ["Instances given such a set", "unseen_examples"],
  ].map(([title, key]) => h("tr", {}, h("th", { scope: "row" }, title, h("div", { class: "small" }, `${whole(SETS.true[key])} in truth`)),
    parts.map((part) => h("td", {}, whole(part.label_sets_produced[key])))));
  return section("breakdowns", "Where it works", "The same measures for parts of the data. Frequencies are those of the training split.",
    SEVERAL ? legend(RUNS.map((run, i) => [run.name, colour(i)])) : null, h("div", { style: { height: "12px" } }),
    h("div", { class: "grid" },
      barGroups("Frequent and rare labels", "Macro-F1 of head, medium and tail labels.", labels),
      barGroups("Known and new label sets", "Example F1 where the whole true label set occurs in training, and where it never does.", sets),
      barGroups("How often the label set occurs", "Example F1 by how many training instances carry exactly the true label set.", bins),
      h("div", { class: "card" }, h("h3", {}, "Variety"), runsTable("", produced))));
}
