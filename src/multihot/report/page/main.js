/* The page: head, navigation, theme, and all sections in their order. */

const STORED = "multihot-theme";

function storage(action) {
  try { return action(window.localStorage); } catch { return null; } // a file may not be allowed to store anything
}

function applyTheme(theme) {
  const dark = theme ? theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  return dark;
}

function themeButton() {
  const button = h("button", { class: "button theme", id: "theme", onclick: () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    storage((store) => store.setItem(STORED, theme));
    applyTheme(theme);
    name();
  } });
  const name = () => { button.textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark"; };
  name();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    applyTheme(storage((store) => store.getItem(STORED)));
    name();
  });
  return button;
}

/** How many rows of a split there were, from the least of any run to the most. */
function rowsText(split) {
  const counts = RUNS.map((run) => run.rows[split]).filter(known);
  if (!counts.length) return null;
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return `${whole(least)}${most > least ? ` to ${whole(most)}` : ""} ${split}`;
}

/** What came out, before anything else; what it rests on behind a click. */
function outcome() {
  const { sentence, about } = DATA.outcome;
  return [h("p", { class: "outcome", id: "outcome" }, sentence),
    about && h("details", { class: "small" }, h("summary", {}, "How sure that is"), h("p", {}, about))];
}

function head() {
  const { data } = DATA;
  const facts = `${whole(data.labels)} labels, ${share(data.cardinality, 2)} an instance; ${["train", "validation", "test"].map(rowsText).filter(known).join(", ")}`;
  const names = SEVERAL ? legend(RUNS.map((run, i) => [run.name, colour(i)])) : h("p", { class: "lead" }, h("bdi", {}, RUNS[0].name), `, ${methodText(RUNS[0].method)}`);
  return [h("div", {}, h("p", { class: "eyebrow" }, SEVERAL ? `${RUNS.length} runs compared` : "Run report"), h("h1", {}, h("bdi", {}, data.name)), ...outcome(), h("p", { class: "lead" }, facts), names), themeButton()];
}

/** A method in words: its name and its parts by name. */
function methodText(method) {
  const word = (value) => (typeof value === "string" ? value : value && value.name);
  const parts = Object.entries(method).filter(([key, value]) => key !== "name" && word(value)).map(([key, value]) => `${key} ${word(value)}`);
  return [method.name, ...parts].join(", ");
}

function settings() {
  const cards = RUNS.map((run, i) => {
    const { method, settings: rest, seed, environment } = run;
    return h("details", { class: "card" }, h("summary", {}, SEVERAL ? runHead(i) : "Settings and versions"),
      h("p", { class: "note" }, `${methodText(method)}; seed ${seed}`), h("pre", {}, environment.command || ""), h("pre", {}, JSON.stringify({ method, ...rest }, null, 2)), h("pre", {}, JSON.stringify(environment, null, 2)));
  });
  return section("settings", "How it was made", "Enough to repeat it: settings, seed, command and versions.", cards);
}

function navigation(sections) {
  const links = new Map(sections.map((part) => [part.id, h("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)]));
  const list = h("ul", {}, [...links.values()].map((link) => h("li", {}, link)));
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const [id, link] of links) {
        if (id === target.id) {
          link.setAttribute("aria-current", "true");
          list.scrollTo({ left: link.offsetLeft - 60 }); // on a phone the list is wider than the screen
        } else link.removeAttribute("aria-current");
      }
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  sections.forEach((part) => watch.observe(part));
  return list;
}

applyTheme(storage((store) => store.getItem(STORED)));
document.getElementById("top").append(...head());
const SECTIONS = [overview(), distributionSection(), breakdowns(), labelSection(), curveSection(), reliabilitySection(), pairSection(), instanceSection(), training(), settings()].filter(Boolean);
document.getElementById("page").append(...SECTIONS);
document.querySelector("nav.sections").append(navigation(SECTIONS));
document.querySelector("footer").append(`Written by multihot ${RUNS[0].environment.multihot || ""}. One file, no network.`);
