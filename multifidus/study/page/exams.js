// One exam on the page: built when it comes near the window, taken down when it is far away.
const study = JSON.parse(document.getElementById("study").textContent);
const reviewer = document.getElementById("reviewer");
const GLYPHS = { pass: "✓", fail: "✗", repeat: "↻" };

function make(tag, { text, kids = [], ...facts } = {}) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(facts))
    if (value !== undefined) node.setAttribute(name, value);
  node.append(...kids.filter((kid) => kid !== null));
  return node;
}

const exams = [...document.querySelectorAll(".exam")].map((node) => {
  const facts = JSON.parse(node.querySelector("script.facts").textContent);
  const [subject, timepoint, rater, reading] = facts.names.map(String);
  const unit = { subject, timepoint, rater, reading, level: "", side: "", structure: "" };
  const muscles = facts.muscles.map((muscle) => ({ ...muscle,
    unit: { ...unit, level: muscle.level || "unknown", side: muscle.side, structure: muscle.structure } }));
  const words = [subject, timepoint, rater, facts.failure?.message ?? "", facts.missing.map((one) =>
    `${one.level} ${one.structure} ${one.reason}`), muscles.map((one) =>
    [one.level, one.structure, one.side, one.flags, one.outliers]), facts.both.map((one) =>
    [one.level, one.structure, one.flags])];
  const exam = { node, facts, unit, muscles, shown: true, built: null,
    words: words.flat(9).join(" ").toLowerCase(), timepoint, rater,
    levels: new Set([...muscles, ...facts.both, ...facts.pictures,
      ...facts.missing].map((one) => one.level)) };
  node.exam = exam;
  return exam;
});

function pictureSource(exam, picture) {
  if (picture.file) return picture.file;
  exam.data ??= JSON.parse(exam.node.querySelector("script.images").textContent);
  return "data:image/jpeg;base64," + exam.data[picture.data];
}

function chip(text, kind = "") {
  const name = text.split(" ")[0];
  return make("span", { class: `chip ${kind}`, text, title: study.flags[name] ?? text });
}

function frameOf(exam, level, pictures) {
  if (!pictures.length)
    return make("div", { class: "frame none", text: study.noImage });
  const place = Math.floor((pictures.length - 1) / 2), picture = pictures[place];
  const image = make("img", { alt: picture.caption, src: pictureSource(exam, picture),
    decoding: "async" });
  const kids = [image];
  if (picture.mm && level !== "sagittal") {
    const [high, wide] = study.frame, share = Math.min(1, high / picture.mm[0], wide / picture.mm[1]);
    image.style.width = `${(100 * share * picture.mm[1]) / wide}%`;
    image.style.height = `${(100 * share * picture.mm[0]) / high}%`;
  } else image.style.height = "100%";
  if (pictures.length > 1)
    kids.push(make("span", { class: "steps", text: `${pictures.length} slices` }));
  const frame = make("button", { class: "frame", "aria-label": `Enlarge ${picture.caption}`, kids,
    tabindex: "-1" });
  frame.onclick = () => enlarge(exam, pictures, place);
  return frame;
}

function muscleOf(exam, muscle, place) {
  const head = make("span", { class: "line", kids: [
    make("span", { text: muscle.words }), make("b", { text: muscle.area }),
    make("span", { class: "fat", text: muscle.fat }), make("span", { class: "verdict" })] });
  const chips = [...muscle.outliers.map((text) => chip(text, "far")),
    ...muscle.flags.map((name) => chip(name))];
  const node = make("button", { class: `muscle ${muscle.side}`, id: muscle.id, tabindex: "-1", kids: [
    head, make("span", { class: "chips", kids: chips }), make("span", { class: "comment" })] });
  node.onclick = () => choose(exam, place + 1);
  return node;
}

function levelOf(exam, level) {
  const isSagittal = level === "sagittal";
  const pictures = exam.facts.pictures.filter((one) => one.level === level);
  const name = isSagittal ? "Sagittal" : level || "Level unknown";
  const more = make("small", { text: pictures[0]?.note ?? "", title: pictures[0]?.note ?? "" });
  const node = make("section", { class: "level", kids: [
    make("h3", { text: name + " ", kids: [more] }), frameOf(exam, level, pictures)] });
  exam.muscles.forEach((muscle, place) => {
    if (muscle.level === level && !isSagittal) node.append(muscleOf(exam, muscle, place));
  });
  for (const one of exam.facts.both.filter((found) => found.level === level && !isSagittal))
    node.append(make("div", { class: "muscle both", kids: [
      make("span", { class: "line", kids: [make("span", { text: one.words })] }),
      make("span", { class: "chips", kids: one.flags.map((name) => chip(name)) })] }));
  for (const one of exam.facts.missing.filter((found) => found.level === level))
    node.append(make("div", { class: `muscle missing ${one.side}`, text:
      `${one.side[0].toUpperCase()} ${one.structure.replaceAll("_", " ")}: missing, ` +
      `${one.reason.replaceAll("_", " ")}${one.detail ? ` (${one.detail})` : ""}` }));
  return node;
}

function valuesOf(exam) {
  if (!exam.facts.values.length) return null;
  const row = (tag, cells) => make("tr", { kids: cells.map((text) =>
    make(tag, { text, class: /^[-+\d]/.test(text) ? "" : "text" })) });
  const body = () => make("div", { class: "scroll", kids: [make("table", { kids: [
    row("th", study.headings), ...exam.facts.values.map((cells) => row("td", cells))] })] });
  const node = make("details", { class: "values", kids: [make("summary", { text: "All values" })] });
  node.ontoggle = () => { if (node.open && node.childElementCount === 1) node.append(body()); };
  return node;
}

function actsOf(exam) {
  const buttons = VERDICTS.map((verdict) => {
    const node = make("button", { class: verdict, text:
      `${GLYPHS[verdict]} ${verdict[0].toUpperCase()}${verdict.slice(1)}`, "data-verdict": verdict,
    title: `Of what is selected in this exam; key ${verdict[0].toUpperCase()}` });
    node.onclick = () => { if (now.exam !== exam) choose(exam, 0); decide(verdict); };
    return node;
  });
  const comment = make("button", { text: "Comment", title: "Key C" });
  comment.onclick = () => { if (now.exam !== exam) choose(exam, 0); annotate(); };
  return make("span", { class: "acts", kids: [...buttons, comment] });
}

function build(exam) {
  if (exam.built || exam.facts.failure) return;
  const only = document.getElementById("level").value;
  const columns = study.columns.filter((level) => !only || level === only);
  const levels = make("div", { class: "levels", kids:
    columns.map((level) => levelOf(exam, level)) });
  levels.style.setProperty("--columns", columns.length);
  const links = exam.facts.others.map((one) => make("a", { href: one.file, text: one.caption }));
  const others = links.length ? make("details", { class: "values", kids: [
    make("summary", { text: "Other images" }), ...links.map((link) =>
      make("div", { kids: [link] }))] }) : null;
  const acts = actsOf(exam);
  exam.built = [acts, levels, valuesOf(exam), others].filter(Boolean);
  exam.node.querySelector(".title").append(acts);
  exam.node.append(...exam.built.slice(1));
  exam.node.style.minHeight = "0";
  paint(exam);
}

function takeDown(exam) {
  if (!exam.built || exam === now.exam) return;
  if (exam.node.offsetHeight) exam.node.style.minHeight = `${exam.node.offsetHeight}px`;
  exam.built.forEach((node) => node.remove());
  exam.built = exam.data = null;
}

// Shows the verdicts of an exam, and what is selected in it.
function paint(exam) {
  const entries = entriesAbout(exam.unit);
  exam.whole = verdictOn(entries, exam.unit);
  exam.verdicts = exam.muscles.map((one) => verdictOn(entries, one.unit));
  exam.isDone = !exam.facts.failure && (exam.whole !== null ||
    (exam.verdicts.length > 0 && exam.verdicts.every(Boolean)));
  exam.node.classList.toggle("now", exam === now.exam);
  const show = (node, entry) => {
    node.textContent = entry ? `${GLYPHS[entry.verdict]} ${entry.verdict}` : "";
    node.className = `verdict ${entry?.verdict ?? ""}`;
    node.title = entry ? [entry.comment, entry.reviewer, entry.date].filter(Boolean).join(" · ") : "";
  };
  if (exam.facts.failure) return;
  show(exam.node.querySelector(".title .verdict"), exam.whole);
  const own = state.entries.get(scopeOf(exam.unit));
  exam.node.querySelector(".title .comment").textContent = own?.comment ?? "";
  if (!exam.built) return;
  const chosen = exam === now.exam ? now.place : 0;
  const unit = chosen ? exam.muscles[chosen - 1].unit : exam.unit;
  const at = state.entries.get(scopeOf(unit))?.verdict;
  for (const node of exam.built[0].querySelectorAll("[data-verdict]"))
    node.classList.toggle("on", node.dataset.verdict === at);
  exam.muscles.forEach((muscle, place) => {
    const node = document.getElementById(muscle.id);
    if (!node) return;
    show(node.querySelector(".verdict"), exam.verdicts[place]);
    node.querySelector(".comment").textContent =
      state.entries.get(scopeOf(muscle.unit))?.comment ?? "";
    node.classList.toggle("now", exam === now.exam && place + 1 === now.place);
  });
}
