/* Labels: the table, curves of precision and recall, and pairs of labels. */

const PAGE_OF_LABELS = 20;
const FIGURES = [["chosen", "Chosen"], ["precision", "Precision"], ["recall", "Recall"], ["f1", "F1"], ["ap", "Average precision"]];

const groupOf = (count) => (count >= DATA.groups.head ? "head" : count >= DATA.groups.medium ? "medium" : "tail");

/** The columns of the table: {key, title, value(row), show(row)}. One run shows all figures, several one figure a run. */
function labelColumns(figure) {
  const meter = (value, run) => h("span", { class: "meter", style: { "--run": colour(run), "--full": `${100 * (value || 0)}%` } }, share(value), h("i", {}));
  const of = (run, place) => (row) => (row[3][run] ? row[3][run][place] : null);
  const figures = SEVERAL
    ? RUNS.map((_, run) => ({ key: `run${run}`, title: runHead(run), value: of(run, figure), run }))
    : FIGURES.map(([key, title], place) => ({ key, title, value: of(0, place), run: 0 }));
  const counted = (column, place) => (SEVERAL ? figure : place) === 0;
  return [
    { key: "label", title: "Label", value: (row) => DATA.labels[row[0]].toLowerCase() },
    { key: "training", title: "In training", value: (row) => row[1], show: (row) => whole(row[1]) },
    { key: "support", title: `In ${DATA.split}`, value: (row) => row[2], show: (row) => whole(row[2]) },
    ...figures.map((column, place) => ({ ...column, show: (row) => (counted(column, place) ? whole(column.value(row)) : meter(column.value(row), column.run)) })),
  ];
}

function labelTable() {
  const state = { sort: "training", falling: true, text: "", group: "all", figure: 3, shown: PAGE_OF_LABELS };
  const body = h("tbody", {});
  const head = h("tr", {});
  const count = h("span", { class: "small", role: "status" });
  const more = h("button", { class: "button", onclick: () => { state.shown += 5 * PAGE_OF_LABELS; draw(); } }, "Show more");

  function rows(columns) {
    const { value } = columns.find((column) => column.key === state.sort) || columns[0];
    const fits = (row) => DATA.labels[row[0]].toLowerCase().includes(state.text)
      && (state.group === "all" || (state.group === "never" ? row[2] > 0 && row[3].every((run) => !run || run[0] === 0) : groupOf(row[1]) === state.group));
    const way = state.falling ? -1 : 1;
    const order = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : typeof a === "string" ? way * a.localeCompare(b) : way * (a - b));
    return SETS.perLabel.filter(fits).sort((a, b) => order(value(a), value(b)));
  }

  function draw() {
    const columns = labelColumns(state.figure);
    head.replaceChildren(...columns.map((column) => h("th", {
      scope: "col", "aria-sort": column.key === state.sort ? (state.falling ? "descending" : "ascending") : "none", "data-key": column.key,
    }, h("button", { onclick: () => sortBy(column.key) }, column.title))));
    const found = rows(columns);
    body.replaceChildren(...found.slice(0, state.shown).map((row) => h("tr", {},
      h("td", {}, h("button", { class: "link", dir: "auto", title: "Show its instances", onclick: () => showInstances({ label: row[0] }) }, DATA.labels[row[0]])),
      columns.slice(1).map((column) => h("td", {}, column.show(row))))));
    count.textContent = `${whole(found.length)} of ${whole(DATA.labels.length)} labels`;
    more.hidden = found.length <= state.shown;
  }

  function sortBy(key) {
    state.falling = state.sort === key ? !state.falling : key !== "label";
    state.sort = key;
    draw();
    head.querySelector(`[data-key="${key}"] button`).focus();
  }

  const change = (name) => (value) => { state[name] = value; state.shown = PAGE_OF_LABELS; draw(); };
  const controls = h("div", { class: "controls" },
    h("label", { class: "wide" }, "Find a label", h("input", { type: "search", id: "label-search", oninput: (event) => change("text")(event.target.value.toLowerCase()) })),
    select("Frequency in training", [["all", "All"], ["head", "Head"], ["medium", "Medium"], ["tail", "Tail"], ["never", "Never predicted"]], "all", change("group")),
    SEVERAL ? select("Figure", FIGURES.map(([, title], place) => [place, title]), 3, (value) => change("figure")(Number(value))) : null);
  draw();
  return h("div", { class: "card" }, controls, h("div", { class: "scroll" }, h("table", { id: "label-table" }, h("thead", {}, head), body)), h("div", { class: "more" }, more, count));
}

function labelSection() {
  if (!SETS) return null;
  const cut = SETS.perLabel.length < DATA.labels.length ? ` The table holds the ${whole(SETS.perLabel.length)} labels most frequent in training.` : "";
  return section("labels", "Labels", `Every label on its own. Click a heading to sort, a label to see its instances.${cut}`, labelTable());
}

/** How a run chose: in its own words, and the lowest score that it chose where that parts what it chose from the rest. */
function chosenHow(run, curve) {
  if (!curve) return "No instance carries this label, or the run does not know it.";
  const { unit } = RUNS[run];
  const cut = curve.chosen.threshold;
  const rule = RUNS[run].rule || (known(cut) ? "" : "No single threshold explains what was chosen here, and the run does not say how it decides.");
  const lowest = known(cut) ? `The lowest ${unit} chosen is ${short(cut)} (the dotted line); a higher threshold chooses fewer labels.` : "";
  return [SEVERAL ? `${RUNS[run].name}:` : "", rule, lowest].filter(Boolean).join(" ");
}

function curveSection() {
  if (!SETS) return null;
  const state = { label: "all", run: 0 };
  const left = h("div", { class: "card" });
  const right = h("div", { class: "card" });
  const words = h("p", { class: "note", role: "status" });
  const pick = (run) => (state.label === "all" ? SETS.curves[run].all : SETS.curves[run].labels[state.label]);

  function draw() {
    const found = RUNS.map((_, run) => pick(run));
    const lines = found.map((curve, run) => ({ name: RUNS[run].name, colour: colour(run), points: curve ? curve.recall.map((r, k) => [r, curve.precision[k]]) : [] }));
    const marks = found.flatMap((curve, run) => (curve ? [{ x: curve.chosen.recall, y: curve.chosen.precision, colour: colour(run), name: `${RUNS[run].name}: chosen, precision ${share(curve.chosen.precision)}, recall ${share(curve.chosen.recall)}` }] : []));
    left.replaceChildren(lineChart("Precision and recall", lines, { x: "recall", y: "precision", xRange: [0, 1], yRange: [0, 1] }, marks));
    drawThresholds(found[state.run]);
  }

  function drawThresholds(curve) {
    const at = (figure) => (curve ? curve.threshold.map((t, k) => [t, figure(curve.precision[k], curve.recall[k])]) : []);
    const lines = [
      { name: "F1", colour: "var(--ink)", points: at((p, r) => (p + r ? (2 * p * r) / (p + r) : 0)) },
      { name: "precision", colour: colour(0), points: at((p) => p) }, { name: "recall", colour: colour(1), points: at((_, r) => r) },
    ];
    const cut = curve && curve.chosen.threshold;
    const inside = curve && known(cut) && curve.threshold.length ? [{ x: cut, colour: "var(--ink)", name: `lowest ${RUNS[state.run].unit} chosen: ${short(cut)}` }] : [];
    const xRange = extent([...(curve ? curve.threshold : []), ...inside.map((mark) => mark.x)]);
    const whose = SEVERAL && select("Run", RUNS.map((run, i) => [i, run.name]), state.run, (value) => { state.run = Number(value); draw(); });
    right.replaceChildren(lineChart("Figures at every threshold", lines, { x: RUNS[state.run].unit, yRange: [0, 1], xRange }, inside, whose));
    words.textContent = chosenHow(state.run, curve);
  }

  const choices = [["all", "All labels together"], ...SETS.curveLabels.filter((label) => DATA.support[label] > 0).map((label) => [label, DATA.labels[label]])];
  draw();
  const cut = SETS.curveLabels.length < DATA.labels.length ? ` Labels of their own: the ${whole(SETS.curveLabels.length)} most frequent.` : "";
  return section("curves", "Thresholds", `What other thresholds would have given; the point is what the run chose.${cut}`,
    h("div", { class: "controls" }, select("Label", choices, "all", (value) => { state.label = value; draw(); })), h("div", { class: "grid" }, left, right), words);
}

function pairSection() {
  if (!SETS) return null;
  const { labels, differences } = SETS.pairs;
  if (labels.length < 2) return null;
  const names = labels.map((label) => DATA.labels[label]);
  const state = { run: 0 };
  const box = h("div", {});
  const shares = (counts) => counts.map((row, i) => row.map((count) => (row[i] ? count / row[i] : 0)));
  const tell = (counts) => (i, j) => (i === j ? `${names[i]}: ${whole(counts[i][i])} instances` : `${names[i]} with ${names[j]}: ${whole(counts[i][j])} of ${whole(counts[i][i])} (${share(counts[i][i] ? counts[i][j] / counts[i][i] : 0, 2)})`);

  function draw() {
    const predicted = SETS.pairs.predicted[state.run];
    const rows = differences[state.run].map(([a, b, truth, given]) => h("tr", {},
      h("td", {}, h("bdi", {}, DATA.labels[a]), " + ", h("bdi", {}, DATA.labels[b])), h("td", {}, whole(truth)), h("td", {}, whole(given)),
      h("td", {}, `${given > truth ? "+" : "−"}${whole(Math.abs(given - truth))}`)));
    box.replaceChildren(h("div", { class: "grid" },
      h("div", { class: "card" }, heatMap("True", names, shares(SETS.pairs.true), tell(SETS.pairs.true))),
      h("div", { class: "card" }, heatMap("Predicted", names, shares(predicted), tell(predicted)))),
    pairTable("Pairs given too often or too rarely", ["pair", "true", "predicted", "difference"], rows),
    pairTable(`Pairs that ${RUNS[state.run].name} changed against ${RUNS[0].name}`, ["pair", "true", "there", "here", "change"], changed(state.run)));
  }

  function changed(run) {
    return SETS.pairs.changes[run].map(([a, b, truth, there, here]) => h("tr", {},
      h("td", {}, h("bdi", {}, DATA.labels[a]), " + ", h("bdi", {}, DATA.labels[b])), [truth, there, here].map((count) => h("td", {}, whole(count))),
      h("td", {}, `${here > there ? "+" : "−"}${whole(Math.abs(here - there))}${Math.abs(here - truth) < Math.abs(there - truth) ? ", nearer the truth" : ""}`)));
  }

  function pairTable(title, columns, rows) {
    if (!rows.length) return "";
    return h("div", { class: "card", style: { "margin-top": "16px" } }, h("h3", {}, title), h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col" }, column)))), h("tbody", {}, rows))));
  }
  draw();
  return section("pairs", "Labels together", `How often the label of a row brings along that of a column: the darker, the larger the share. The ${labels.length} most frequent labels.`,
    SEVERAL ? h("div", { class: "controls" }, select("Predicted by", RUNS.map((run, i) => [i, run.name]), 0, (value) => { state.run = Number(value); draw(); })) : null, box);
}
