/* Reliability: what probabilities promise against what comes true, of the runs whose scores stand for probabilities. */

const ENOUGH = 10; // entries in a bin for the line to go through it: the share of a few is chance
const DIAGRAMS = RUNS.map((run) => run.reliability.groups || null);

function reliabilitySection() {
  const names = { all: "All labels", head: "Head", medium: "Medium", tail: "Tail" };
  const groups = Object.keys(names).filter((group) => DIAGRAMS.some((diagrams) => diagrams && diagrams[group]));
  const state = { group: "all", run: Math.max(0, DIAGRAMS.findIndex(Boolean)), open: false };
  const left = h("div", { class: "card" });
  const right = h("div", { class: "card" });
  const of = (i) => DIAGRAMS[i] && DIAGRAMS[i][state.group];
  const shown = RUNS.map((_, i) => i).filter((i) => DIAGRAMS[i]);

  /** A line and, for the diagram that counts now, points as large as the bins are full. */
  const line = (i, key) => ({
    name: key === "before" ? `${RUNS[i].name}, before calibration` : RUNS[i].name, colour: colour(i), dashed: key === "before",
    points: of(i)[key].bins.filter(([, , count]) => count >= ENOUGH).map(([, , , promised, real]) => [promised, real]),
  });
  const points = (i) => {
    const most = Math.max(...of(i).now.bins.map(([, , count]) => count));
    return of(i).now.bins.map(([, , count, promised, real]) => ({
      x: promised, y: real, colour: colour(i), r: 2.5 + 5 * Math.sqrt(count / most),
      name: `${RUNS[i].name}: promised ${share(promised)}, true ${share(real)}, ${whole(count)} entries`,
    }));
  };

  function draw() {
    const present = shown.filter(of);
    const lines = present.flatMap((i) => ["before", "now"].filter((key) => of(i)[key]).map((key) => line(i, key)));
    const diagonal = { name: "exactly as promised", colour: "var(--faint)", points: [[0, 0], [1, 1]] };
    left.replaceChildren(lineChart("Promised and true", [diagonal, ...lines], { x: "mean probability", y: "share of true labels", xRange: [0, 1], yRange: [0, 1] },
      present.flatMap(points), null, 300));
    right.replaceChildren(errors(), bins());
  }

  function errors() {
    const calibrated = shown.some((i) => DIAGRAMS[i].all.before);
    const rows = shown.map((i) => h("tr", {}, h("th", { scope: "row" }, SEVERAL ? runHead(i) : "Calibration error"),
      calibrated ? h("td", {}, share(of(i)?.before?.error, 4)) : null, h("td", {}, share(of(i)?.now.error, 4))));
    const heads = [SEVERAL ? "calibration error" : "", calibrated ? "before" : null, calibrated ? "after calibration" : "value"].filter(known);
    return h("div", { class: "scroll" }, h("table", { id: "calibration-errors" }, h("thead", {}, h("tr", {}, heads.map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, rows)));
  }

  function bins() {
    const full = of(state.run);
    const rows = (full ? full.now.bins : []).map(([from, to, count, promised, real]) => h("tr", {},
      h("td", {}, `${share(from, 2)} to ${share(to, 2)}`), h("td", {}, whole(count)), h("td", {}, share(promised)), h("td", {}, share(real))));
    const whose = SEVERAL && select("Run", shown.map((i) => [i, RUNS[i].name]), state.run, (value) => { state.run = Number(value); draw(); });
    return h("details", { open: state.open, ontoggle: (event) => { state.open = event.target.open; } }, h("summary", {}, "Bins and how full they are"), whose ? h("div", { class: "controls" }, whose) : null, h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["probability", "entries", "mean", "true"].map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, rows))));
  }

  const reasons = [...new Set(RUNS.map((run) => run.reliability.without).filter(known))].map((reason) => {
    const whose = RUNS.filter((run) => run.reliability.without === reason).map((run) => run.name);
    return h("p", { class: "note" }, SEVERAL ? [h("bdi", {}, whose.join(", ")), " is not drawn: "] : "There is no diagram: ",
      reason.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part)), ".");
  });
  const about = `Of all labels given probability 0.7, seven in ten should be true: then points lie on the diagonal. Large points hold many entries, and the line passes over those of fewer than ${ENOUGH}; the calibration error is their mean distance from the diagonal.`;
  if (!shown.length) return section("reliability", "Reliability", "Whether of all labels given probability 0.7 seven in ten are true.", reasons);
  draw();
  return section("reliability", "Reliability", about,
    groups.length > 1 ? h("div", { class: "controls" }, select("Frequency in training", groups.map((group) => [group, names[group]]), "all", (value) => { state.group = value; draw(); })) : null,
    h("div", { class: "grid" }, left, right), reasons);
}
