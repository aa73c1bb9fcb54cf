/* The encoder's view of the instances: pooled vectors on their two principal components, coloured by the truth. */

const COMMON = 7; // labels with a colour of their own

/** By what instances are coloured: a ramp over positions, or a colour for each of the commonest labels. */
function colouring(axis) {
  const { instances } = DIST.features;
  const values = instances.map(([, value]) => (value ? value[axis] : null));
  if (values.some(known)) {
    const [low, high] = extent(values.filter(known));
    const paint = (at) => `color-mix(in oklch, var(--ramp-from), var(--ramp-to) ${(100 * (values[at] - low) / (high - low)).toFixed(0)}%)`;
    return { paint: (at) => (known(values[at]) ? paint(at) : "var(--faint)"), said: (at) => placed(instances[at][1]), key: h("div", { class: "ramp" }, h("span", {}, short(low)), h("i", {}), h("span", {}, short(high))) };
  }
  const counts = new Map();
  for (const [, , label] of instances) if (known(label)) counts.set(label, (counts.get(label) || 0) + 1);
  const common = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, COMMON).map(([label]) => label);
  const paintOf = (label) => (common.includes(label) ? colour(common.indexOf(label)) : "var(--faint)");
  const entries = [...common.map((label) => [DATA.labels[label], paintOf(label)]), ...(counts.size > COMMON ? [["others", "var(--faint)"]] : [])];
  return { paint: (at) => paintOf(instances[at][2]), said: (at) => (known(instances[at][2]) ? DATA.labels[instances[at][2]] : "unknown"), key: legend(entries) };
}

function featureCards() {
  if (!DIST.features) return [];
  const { instances, runs } = DIST.features;
  const kept = RUNS.map((_, run) => run).filter((run) => runs[run]);
  return kept.slice(0, 2).map((first) => {
    const state = { run: first, axis: 0 };
    const box = h("div", {});
    const draw = () => {
      const { paint, said, key } = colouring(state.axis);
      const { points, explained } = runs[state.run];
      const dots = points.map(([at, x, y]) => ({ x, y, colour: paint(at), name: `${instances[at][0]}: ${said(at)}` }));
      const choices = [
        kept.length > 1 ? select("Run", kept.map((run) => [run, RUNS[run].name]), state.run, (value) => { state.run = Number(value); draw(); }) : null,
        AXES > 1 ? select("Colour", [[0, "first position"], [1, "second position"]], state.axis, (value) => { state.axis = Number(value); draw(); }) : null];
      const note = h("p", { class: "note" }, `Pooled vectors of ${whole(points.length)} instances on their two principal components, which hold ${share(100 * (explained[0] + explained[1]), 0)} % of the variance; coloured by the truth.`);
      box.replaceChildren(scatter("Features", dots, choices.filter(Boolean).length ? h("div", { class: "controls" }, choices) : null, key), note);
    };
    draw();
    return h("div", { class: "card features" }, box);
  });
}
