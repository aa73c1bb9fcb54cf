/* The browser through instances: search by text, label and kind of mistake. */

const PAGE_OF_INSTANCES = 20;
const KINDS = [["all", "All"], ...(SETS ? [["mistake", "Any mistake"], ["missed", "A label missed"], ["wrong", "A label wrongly given"], ["right", "Exactly right"]] : []),
  ...(Object.keys(DATA.attention).length ? [["attended", "With attention"]] : [])];
let showInstances = null; // set once the browser stands

/** What a chip is called and how it is drawn; a label that is read out of a distribution is near the true one or far from it, not a mistake. */
const CHIPS = SETS
  ? { hit: ["hit", "rightly given"], missed: ["missed", "missed"], wrong: ["wrong", "wrongly given"] }
  : { hit: ["hit", "read as it truly is"], missed: ["truth", "truly"], wrong: ["read", "read"] };
const FIGURES_OF = {
  probability: "the probability", degree: "the label's share of the predicted distribution", margin: "the margin, which is no probability", score: "the score",
};
const figure = (score, unit) => (["probability", "degree"].includes(unit) ? percent(score) : `${unit} ${short(score)}`);

const INSTANCES = DATA.instances.rows.map(([id, truth, chosen, scores, excerpt]) => {
  const named = [...new Set([truth, ...chosen].flat())].sort((a, b) => a - b);
  const words = (excerpt && !excerpt.startsWith("data:image/") ? excerpt : "").toLowerCase();
  return { id, excerpt, truth: new Set(truth), chosen: chosen.map((labels) => new Set(labels)), named, scores, words: `${id.toLowerCase()}\n${words}` };
});

const missed = (instance, run) => [...instance.truth].filter((label) => !instance.chosen[run].has(label));
const wrong = (instance, run) => [...instance.chosen[run]].filter((label) => !instance.truth.has(label));

/** Whether a run did with an instance what the kind says, for one label where one is chosen. */
function isOfKind(instance, run, kind, label) {
  const about = (labels) => (label === null ? labels.length > 0 : labels.includes(label));
  if (kind === "missed") return about(missed(instance, run));
  if (kind === "wrong") return about(wrong(instance, run));
  if (kind === "mistake") return about(missed(instance, run)) || about(wrong(instance, run));
  if (kind === "attended" && !DATA.attention[instance.id]) return false;
  const concerns = label === null || instance.truth.has(label) || instance.chosen[run].has(label);
  if (kind === "right") return concerns && !missed(instance, run).length && !wrong(instance, run).length;
  return concerns;
}

function chips(instance, run) {
  const given = [...instance.chosen[run]];
  const { unit } = RUNS[run];
  const chip = (kind) => (label) => {
    const [look, meaning] = CHIPS[kind];
    const score = instance.scores[run][instance.named.indexOf(label)];
    const place = RUNS[run].emits && kind !== "missed" ? given.indexOf(label) + 1 : null;
    const title = [meaning, place && `emitted as number ${place}`, known(score) && `${unit} ${score}`].filter(Boolean).join(", ");
    return h("li", { class: `chip ${look}`, title }, place && given.length > 1 ? h("span", { class: "place" }, `${place}.\u00a0`) : null, h("bdi", {}, DATA.labels[label]), known(score) ? h("small", {}, figure(score, unit)) : null);
  };
  const hit = (label) => instance.truth.has(label);
  const named = RUNS[run].emits // in the order of emission
    ? given.map((label) => chip(hit(label) ? "hit" : "wrong")(label))
    : [...given.filter(hit).map(chip("hit")), ...wrong(instance, run).map(chip("wrong"))];
  const found = [...named, ...missed(instance, run).map(chip("missed"))];
  return h("ul", { class: "chips" }, found.length ? found : h("li", { class: "chip none" }, "no label, rightly"));
}

/** A text with what was searched marked, as nodes. */
function marked(text, query) {
  if (!query) return [text];
  const parts = [];
  const lower = text.toLowerCase();
  if (lower.length !== text.length) return [text]; // letters that grow when lowered would shift the marks
  let start = 0;
  for (let at = lower.indexOf(query); at >= 0; at = lower.indexOf(query, start)) {
    parts.push(text.slice(start, at), h("mark", {}, text.slice(at, at + query.length)));
    start = at + query.length;
  }
  return [...parts, text.slice(start)];
}

function instanceCard(instance, query) {
  const pictured = instance.excerpt && instance.excerpt.startsWith("data:image/");
  const verdicts = RUNS.map((_, run) => [SEVERAL ? runHead(run) : null, chips(instance, run)]);
  return h("article", { class: pictured ? "card instance pictured" : "card instance" },
    pictured ? h("img", { src: instance.excerpt, alt: `instance ${instance.id}`, loading: "lazy" }) : null,
    h("div", { class: "id" }, h("bdi", {}, instance.id)),
    instance.excerpt && !pictured ? h("div", { class: "text", dir: "auto", tabindex: instance.excerpt.length > 300 ? 0 : null }, marked(instance.excerpt, query)) : null,
    h("div", { class: SEVERAL ? "verdicts several" : "verdicts" }, verdicts), attentionOf(instance));
}

function instanceSection() {
  const state = { text: "", label: null, kind: "all", run: "any", shown: PAGE_OF_INSTANCES };
  const list = h("div", { class: "instances" });
  const count = h("span", { class: "small", role: "status", id: "instance-count" });
  const more = h("button", { class: "button", onclick: () => { state.shown += PAGE_OF_INSTANCES; draw(); } }, "Show more");

  function fits(instance) {
    if (state.text && !instance.words.includes(state.text)) return false;
    if (state.run === "differ") {
      const [first, ...others] = instance.chosen;
      const differs = others.some((labels) => labels.size !== first.size || [...labels].some((label) => !first.has(label)));
      if (!differs) return false;
    }
    const runs = ["any", "differ"].includes(state.run) ? RUNS.map((_, run) => run) : [Number(state.run)];
    const test = (run) => isOfKind(instance, run, state.kind, state.label);
    return state.kind === "right" ? runs.every(test) : runs.some(test);
  }

  function draw() {
    const found = INSTANCES.filter(fits);
    list.replaceChildren(...found.slice(0, state.shown).map((instance) => instanceCard(instance, state.text)));
    count.textContent = found.length ? `${whole(Math.min(state.shown, found.length))} of ${whole(found.length)} found` : "Nothing fits; loosen a filter.";
    more.hidden = found.length <= state.shown;
  }

  const change = (name) => (value) => { state[name] = value; state.shown = PAGE_OF_INSTANCES; draw(); };
  const shown = new Set(INSTANCES.flatMap((instance) => instance.named));
  const byName = [...shown].map((label) => [label, DATA.labels[label]]).sort((a, b) => a[1].localeCompare(b[1]));
  const labels = select("Label", [["", "Any label"], ...byName], "", (value) => change("label")(value === "" ? null : Number(value)));
  const who = SEVERAL && select("Run", [["any", "Any run"], ["differ", "Where runs differ"], ...RUNS.map((run, i) => [i, run.name])], "any", change("run"));
  let waiting = 0;
  const search = h("input", { type: "search", id: "instance-search", oninput: (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change("text")(event.target.value.trim().toLowerCase()), 120);
  } });
  showInstances = ({ label }) => {
    change("label")(label);
    labels.querySelector("select").value = label;
    document.getElementById("instances").scrollIntoView();
    labels.querySelector("select").focus({ preventScroll: true });
  };
  draw();
  const key = h("ul", { class: "chips" }, Object.values(CHIPS).map(([look, meaning]) => h("li", { class: `chip ${look}` }, meaning)));
  return section("instances", "Instances", sampleNote(), h("div", { class: "controls" },
    h("label", { class: "wide" }, "Find in text or name", search), labels, KINDS.length > 1 && select("Kind", KINDS, "all", change("kind")), who),
  h("div", { class: "more", style: { margin: "0 0 14px" } }, key), list, h("div", { class: "more" }, more, count));
}

function sampleNote() {
  const { total, mistaken } = DATA.instances;
  const rules = [...new Set(RUNS.map((run) => run.rule).filter(known))];
  const wrongly = !SETS ? [`What each run reads out of the distributions of ${whole(total)} instances, beside the truth.`, ...(rules.length === 1 ? rules : [])].join(" ") : `${whole(mistaken)} of the ${whole(total)} instances have a mistake${SEVERAL ? " by at least one run" : ""}.`;
  const sampled = INSTANCES.length < total ? ` To stay small, this page holds a random sample of ${whole(INSTANCES.length)} that favours mistakes; do not read rates off it.` : "";
  const order = RUNS.some((run) => run.emits) ? " Labels that were emitted one after another are numbered in that order." : "";
  const units = [...new Set(RUNS.map((run) => run.unit))];
  const figures = units.length > 1 ? "a probability where it is in percent" : FIGURES_OF[units[0]];
  return `${wrongly}${sampled} The small figure is ${figures}.${order}`;
}
