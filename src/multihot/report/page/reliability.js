/* Reliability: what probabilities promise against what comes true. */

function reliabilitySection() {
  const names = { all: "All labels", head: "Head", medium: "Medium", tail: "Tail" };
  const groups = Object.keys(names).filter((group) => RUNS.some((run) => run.reliability[group]));
  const state = { group: "all", run: 0, open: false };
  const left = h("div", { class: "card" });
  const right = h("div", { class: "card" });
  const of = (run) => run.reliability[state.group];

  /** A line and, for the diagram that counts now, points as large as the bins are full. */
  const line = (run, i, key) => ({
    name: key === "before" ? `${run.name}, before calibration` : run.name, colour: colour(i), dashed: key === "before",
    points: of(run)[key].bins.map(([, , , promised, real]) => [promised, real]),
  });
  const points = (run, i) => {
    const most = Math.max(...of(run).now.bins.map(([, , count]) => count));
    return of(run).now.bins.map(([, , count, promised, real]) => ({
      x: promised, y: real, colour: colour(i), r: 2.5 + 5 * Math.sqrt(count / most),
      name: `${run.name}: promised ${share(promised)}, true ${share(real)}, ${whole(count)} entries`,
    }));
  };

  function draw() {
    const present = RUNS.map((run, i) => [run, i]).filter(([run]) => of(run));
    const lines = present.flatMap(([run, i]) => ["before", "now"].filter((key) => of(run)[key]).map((key) => line(run, i, key)));
    const diagonal = { name: "exactly as promised", colour: "var(--faint)", points: [[0, 0], [1, 1]] };
    left.replaceChildren(lineChart("Promised and true", [diagonal, ...lines], { x: "mean probability", y: "share of true labels", xRange: [0, 1], yRange: [0, 1] },
      present.flatMap(([run, i]) => points(run, i)), null, 300));
    right.replaceChildren(errors(), bins());
  }

  function errors() {
    const calibrated = RUNS.some((run) => run.reliability.all.before);
    const rows = RUNS.map((run, i) => h("tr", {}, h("th", { scope: "row" }, SEVERAL ? runHead(i) : "Calibration error"),
      calibrated ? h("td", {}, share(of(run)?.before?.error, 4)) : null, h("td", {}, share(of(run)?.now.error, 4))));
    const heads = [SEVERAL ? "calibration error" : "", calibrated ? "before" : null, calibrated ? "after calibration" : "value"].filter(known);
    return h("div", { class: "scroll" }, h("table", { id: "calibration-errors" }, h("thead", {}, h("tr", {}, heads.map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, rows)));
  }

  function bins() {
    const shown = of(RUNS[state.run]);
    const rows = (shown ? shown.now.bins : []).map(([from, to, count, promised, real]) => h("tr", {},
      h("td", {}, `${share(from, 2)} to ${share(to, 2)}`), h("td", {}, whole(count)), h("td", {}, share(promised)), h("td", {}, share(real))));
    const whose = SEVERAL && select("Run", RUNS.map((run, i) => [i, run.name]), state.run, (value) => { state.run = Number(value); draw(); });
    return h("details", { open: state.open, ontoggle: (event) => { state.open = event.target.open; } }, h("summary", {}, "Bins and how full they are"), whose ? h("div", { class: "controls" }, whose) : null, h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["probability", "entries", "mean", "true"].map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, rows))));
  }

  draw();
  return section("reliability", "Reliability", "Of all labels given probability 0.7, seven in ten should be true: then points lie on the diagonal. Scores are read as logits, so a line far from it may only say that a method's scores are no log-odds; label distributions are taken as they are. Large points hold many entries; the calibration error is their mean distance from the diagonal.",
    groups.length > 1 ? h("div", { class: "controls" }, select("Frequency in training", groups.map((group) => [group, names[group]]), "all", (value) => { state.group = value; draw(); })) : null,
    h("div", { class: "grid" }, left, right));
}
