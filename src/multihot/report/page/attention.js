/* Where a model looked: the words or the parts of the picture of an instance, shaded for the label that is chosen. */

/** The words with a shade each; the darkest is the word looked at most. */
function shaded(words, weights) {
  const most = Math.max(...weights) || 1;
  return words.flatMap((word, i) => [
    h("span", { class: "looked", title: share(weights[i]), style: { "--look": `${Math.round((100 * weights[i]) / most)}%` } }, word), " "]);
}

/** A picture under a grid of cells, which covers it from edge to edge; what the label looked at most is left bright, the rest is darkened. */
function lit(picture, [rows, columns], weights) {
  const most = Math.max(...weights) || 1;
  const cells = weights.map((weight) => h("i", { style: { opacity: (0.85 * (1 - weight / most)).toFixed(2) } }));
  const shape = ({ target }) => box.style.setProperty("--wide", target.clientWidth / target.clientHeight);
  const box = h("div", { class: "lit" }, h("img", { src: picture, alt: "", onload: shape }),
    h("div", { class: "cells", style: { "grid-template": `repeat(${rows}, 1fr) / repeat(${columns}, 1fr)` } }, cells));
  return box;
}

function attentionOfRun(entry, run, picture) {
  const text = h("div", entry.grid ? {} : { class: "text", dir: "auto", tabindex: entry.words.length > 60 ? 0 : null });
  const emitted = RUNS[run].emits;
  const buttons = entry.labels.map((label, step) => h("button", { class: "button look", "aria-pressed": String(step === 0), onclick: () => show(step) },
    h("bdi", {}, emitted ? `${step + 1}. ${DATA.labels[label]}` : DATA.labels[label])));
  function show(step) {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === step)));
    text.replaceChildren(...(entry.grid ? [lit(picture, entry.grid, entry.weights[step])] : shaded(entry.words, entry.weights[step])));
  }
  if (entry.labels.length) show(0);
  return h("div", { class: "attention" }, SEVERAL ? runHead(run) : null,
    entry.labels.length ? [h("div", { class: "controls" }, buttons), text] : h("p", { class: "note" }, "No label was given."));
}

/** A fold with the attention of every run that kept it, drawn when it is first opened. */
function attentionOf(instance) {
  const kept = DATA.attention[instance.id];
  if (!kept || (kept.some((entry) => entry && entry.grid) && !instance.excerpt)) return null; // cells without their picture say nothing
  const box = h("div", {});
  const open = () => { if (!box.hasChildNodes()) box.append(...kept.map((entry, run) => (entry ? attentionOfRun(entry, run, instance.excerpt) : null)).filter(Boolean)); };
  return h("details", { class: "looks", ontoggle: open }, h("summary", {}, "What each label looked at"), box);
}
