/* Where a decoder looked: the words of an instance, shaded by the attention of the label that is chosen. */

/** The words with a shade each; the darkest is the word looked at most. */
function shaded(words, weights) {
  const most = Math.max(...weights) || 1;
  return words.flatMap((word, i) => [
    h("span", { class: "looked", title: share(weights[i]), style: { "--look": `${Math.round((100 * weights[i]) / most)}%` } }, word), " "]);
}

function attentionOfRun(entry, run) {
  const text = h("div", { class: "text", dir: "auto", tabindex: entry.words.length > 60 ? 0 : null });
  const buttons = entry.labels.map((label, step) => h("button", { class: "button look", "aria-pressed": String(step === 0), onclick: () => show(step) },
    h("bdi", {}, `${step + 1}. ${DATA.labels[label]}`)));
  function show(step) {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === step)));
    text.replaceChildren(...shaded(entry.words, entry.weights[step]));
  }
  if (entry.labels.length) show(0);
  return h("div", { class: "attention" }, SEVERAL ? runHead(run) : null,
    entry.labels.length ? [h("div", { class: "controls" }, buttons), text] : h("p", { class: "note" }, "No label was emitted."));
}

/** A fold with the attention of every run that kept it, drawn when it is first opened. */
function attentionOf(instance) {
  const kept = DATA.attention[instance.id];
  if (!kept) return null;
  const box = h("div", {});
  const open = () => { if (!box.hasChildNodes()) box.append(...kept.map((entry, run) => (entry ? attentionOfRun(entry, run) : null)).filter(Boolean)); };
  return h("details", { class: "looks", ontoggle: open }, h("summary", {}, "What each label looked at"), box);
}
