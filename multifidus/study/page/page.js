// The page: filters, keys, and files.
const byId = (name) => document.getElementById(name);
const now = { exam: null, place: 0, show: "all" };

function say(text, isBad = false) {
  byId("said").textContent = text;
  byId("said").className = isBad ? "bad" : "";
  measureHead();
}
function measureHead() {
  const high = document.querySelector("header").offsetHeight;
  document.documentElement.style.setProperty("--head", `${high + 10}px`);
}

// --- which exams are shown ---

const SHOWS = {
  all: () => true,
  flagged: (exam) => exam.facts.both.length > 0 || exam.muscles.some((one) => one.flags.length),
  outliers: (exam) => exam.muscles.some((one) => one.outliers.length),
  missing: (exam) => exam.facts.missing.length > 0,
  failed: (exam) => Boolean(exam.facts.failure),
};

const VERDICT_FILTERS = {
  "not reviewed": (exam) => !exam.isDone && !exam.facts.failure,
  reviewed: (exam) => exam.isDone,
  ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, (exam) =>
    [exam.whole, ...exam.verdicts].some((entry) => entry?.verdict === verdict)])),
  "with a comment": (exam) => entriesAbout(exam.unit).some((entry) => entry.comment),
  "comment without a verdict": (exam) =>
    entriesAbout(exam.unit).some((entry) => !entry.verdict),
};

function fill(name, values) {
  byId(name).append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
  byId(name).onchange = filter;
  byId(name).parentElement.hidden = name !== "verdict" && values.length < 2;
}

function filter() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [timepoint, level, rater] = ["timepoint", "level", "rater"].map((name) => byId(name).value);
  const verdict = VERDICT_FILTERS[byId("verdict").value];
  let count = 0;
  for (const exam of exams) {
    const texts = () => exam.words + " " + entriesAbout(exam.unit).map((entry) =>
      `${entry.comment} ${entry.reviewer}`).join(" ").toLowerCase();
    exam.shown = SHOWS[now.show](exam) && (!timepoint || exam.timepoint === timepoint) &&
      (!rater || exam.rater === rater) && (!level || exam.levels.has(level)) &&
      (!verdict || verdict(exam)) && (!words.length || words.every((word) => texts().includes(word)));
    exam.node.classList.toggle("out", !exam.shown);
    count += exam.shown;
  }
  byId("exams").classList.toggle("gallery", level !== "");
  byId("shown").textContent = count === exams.length ? "" : `${count} shown`;
  byId("none").hidden = count > 0;
  for (const node of document.querySelectorAll(".count"))
    node.setAttribute("aria-pressed", node.dataset.show === now.show);
  measureHead();
}

function rebuild() {
  for (const exam of exams.filter((one) => one.built)) {
    exam.built.forEach((node) => node.remove());
    exam.built = null;
    build(exam);
  }
}

function refreshAll() {
  exams.forEach(paint);
  progress();
  filter();
}

function progress() {
  const all = exams.filter((exam) => !exam.facts.failure);
  const done = all.filter((exam) => exam.isDone).length;
  byId("progress").textContent = `${done} of ${all.length} reviewed` +
    (state.unsaved ? " · not saved" : "");
  byId("done").max = Math.max(all.length, 1);
  byId("done").value = done;
}

// --- what is selected ---

function choose(exam, place, { scroll = false } = {}) {
  const before = now.exam;
  now.exam = exam; now.place = place;
  if (before && before !== exam) paint(before);
  build(exam);
  paint(exam);
  const node = place ? byId(exam.muscles[place - 1].id) : exam.node;
  const shown = node ?? exam.node;
  if (scroll) exam.node.scrollIntoView({ block: "start" });
  else shown.scrollIntoView({ block: "nearest" });
}

function step(by, fits = () => true) {
  const shown = exams.filter((exam) => exam.shown);
  let at = shown.indexOf(now.exam);
  if (at < 0) at = by > 0 ? -1 : shown.length;
  for (at += by; at >= 0 && at < shown.length; at += by)
    if (fits(shown[at])) { choose(shown[at], 0, { scroll: true }); return true; }
  return false;
}

function stepMuscle(by) {
  if (!now.exam) { step(1); return; }
  const places = [0, ...now.exam.muscles.keys().map((place) => place + 1)]
    .filter((place) => !place || byId(now.exam.muscles[place - 1].id));
  const at = places.indexOf(now.place) + by;
  choose(now.exam, places[Math.max(0, Math.min(places.length - 1, at))]);
}

// --- verdicts ---

const unitNow = () => (now.place ? now.exam.muscles[now.place - 1].unit : now.exam.unit);

function decide(verdict) {
  if (!now.exam) { step(1); return; }
  if (now.exam.facts.failure) { say("This exam was not measured: there is nothing to review."); return; }
  const unit = unitNow(), scope = scopeOf(unit), ours = state.entries.get(scope);
  const { exam, place } = now, before = place ? [] : exam.verdicts;
  put(scope, { ...unit, verdict, comment: ours?.comment ?? "",
    reviewer: reviewer.value.trim(), date: nowAsText() });
  reviewed();
  const counts = verdictOn(entriesAbout(unit), unit);
  if (counts.verdict !== verdict) {
    say(`A verdict of a later date still counts here: ${counts.verdict} (${counts.date}).`);
    return;
  }
  if (verdict !== "pass" || place) return;
  const back = before.filter((entry, at) => entry && entry.verdict !== "pass" &&
    scopeOf(entry) !== scope && exam.verdicts[at].verdict === "pass").length;
  step(1);
  if (back) say(`The verdict on ${unit.subject} ${unit.timepoint} takes back those on ${back} of its ` +
    "muscles, which had not passed. Z undoes it.");
}

function reviewed() {
  say("");
  for (const exam of exams)
    if (examOf(exam.unit) === examOf(now.exam.unit)) paint(exam);
  progress();
}

function removeVerdict() {
  if (!now.exam || !state.entries.has(scopeOf(unitNow()))) return;
  put(scopeOf(unitNow()), undefined);
  reviewed();
}

function annotate() {
  if (!now.exam || now.exam.facts.failure) return;
  const unit = unitNow(), scope = scopeOf(unit), ours = state.entries.get(scope);
  const dialog = byId("note"), input = dialog.querySelector("input");
  dialog.querySelector("span").textContent = "Comment on " +
    SCOPE.map((name) => (name === "reading" ? "" : unit[name])).filter(Boolean).join(" ");
  input.value = ours?.comment ?? "";
  // At once, and not when the browser comes to say that the dialog is closed: keys may be waiting.
  dialog.querySelector("form").onsubmit = (event) => {
    const comment = input.value.trim();
    if (event.submitter?.value !== "keep" || comment === (ours?.comment ?? "")) return;
    if (!ours && !comment) return;
    put(scope, comment || ours?.verdict ? { ...unit, verdict: ours?.verdict ?? "", comment,
      reviewer: reviewer.value.trim(), date: nowAsText() } : undefined);
    reviewed();
    if (!ours?.verdict) say("The comment has no verdict yet: press P, F or R.");
  };
  dialog.showModal();
}

// --- files ---

function save() {
  const all = [...state.byExam.values()].flat();
  const open = all.filter((entry) => !entry.verdict).length;
  const link = make("a", { download: "review.csv" });
  link.href = URL.createObjectURL(new Blob([csvOf(all.filter((entry) => entry.verdict))],
    { type: "text/csv" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  state.unsaved = open;
  keep();
  progress();
  say(`review.csv holds ${all.length - open} verdicts; put it into the results folder.` +
    (open ? ` ${open} comments without a verdict are not in it: see the filter.` : ""), open > 0);
}

function load(file) {
  try {
    const text = typeof file === "string" ? file : textOf(file);
    const entries = entriesOf(text), taken = merge(entries);
    const here = new Set(exams.map((exam) => examOf(exam.unit)));
    const strange = entries.filter((entry) => !here.has(examOf(entry))).length;
    refreshAll();
    say(`${entries.length} verdicts read, ${taken} of them new or later than those here.` +
      (strange ? ` ${strange} are of exams that this page does not have; they are kept.` : ""));
  } catch (error) {
    say(`This file is not understood; nothing was taken from it. ${error.message}`, true);
  }
}

// --- large images ---

function enlarge(exam, pictures, place) {
  const dialog = byId("large"), image = dialog.querySelector("img");
  const show = (at) => {
    now.large = { at: Math.max(0, Math.min(pictures.length - 1, at)), show };
    const picture = pictures[now.large.at];
    image.onerror = () => { image.onerror = null; image.src = pictureSource(exam, picture); };
    image.src = picture.large;
    image.alt = picture.caption;
    dialog.querySelector("p").textContent = picture.caption +
      (pictures.length > 1 ? ` (${now.large.at + 1} of ${pictures.length}: → ←)` : "");
  };
  show(place);
  dialog.onclose = () => { image.onerror = null; image.removeAttribute("src"); now.large = null; };
  dialog.showModal();
}

function enlargeNow() {
  if (!now.exam) return;
  const level = now.place ? now.exam.muscles[now.place - 1].level : null;
  const found = now.exam.facts.pictures.filter((one) => level === null || one.level === level);
  if (found.length) enlarge(now.exam, found, level === null ? 0 : Math.floor((found.length - 1) / 2));
}

// --- keys ---

const KEYS = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  ArrowRight: () => stepMuscle(1), ArrowLeft: () => stepMuscle(-1),
  n: () => step(1, (exam) => !exam.isDone && !exam.facts.failure) ||
    say("No exam without a verdict follows."),
  p: () => decide("pass"), f: () => decide("fail"), r: () => decide("repeat"),
  c: annotate, x: removeVerdict, s: save, o: () => byId("file").click(),
  z: () => (undo() ? refreshAll() : say("There is nothing to undo.")),
  Enter: enlargeNow, "/": () => byId("search").focus(), "?": () => byId("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (byId("large").open) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) now.large.show(now.large.at + by);
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  // A field keeps the focus until the next frame after its dialog has closed.
  const field = event.target.closest("input, select");
  if (field && !field.closest("dialog:not([open])")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const isButton = event.target.closest("button, summary, a") && event.key === "Enter";
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || isButton) return;
  event.preventDefault();
  act();
});

// --- begin ---

function goToAnchor() {
  const name = decodeURIComponent(location.hash.slice(1));
  const exam = exams.find((one) => one.node.id === name || name.startsWith(one.node.id + "."));
  if (!exam) return;
  if (!exam.shown) { byId("search").value = ""; now.show = "all"; clearFilters(); }
  const place = exam.muscles.findIndex((one) => one.id === name) + 1;
  choose(exam, place, { scroll: true });
}
function clearFilters() {
  for (const name of ["timepoint", "level", "rater", "verdict"]) byId(name).value = "";
  rebuild();
  filter();
}

fill("timepoint", study.timepoints);
fill("level", study.columns.filter((level) => level && level !== "sagittal"));
fill("rater", study.raters);
fill("verdict", Object.keys(VERDICT_FILTERS));
byId("level").onchange = () => { filter(); rebuild(); };
byId("search").oninput = filter;
for (const node of document.querySelectorAll(".count"))
  node.onclick = () => { now.show = node.dataset.show; filter(); };
document.documentElement.style.setProperty("--shape", study.frame[1] / study.frame[0]);
byId("save").onclick = save;
byId("load").onclick = () => byId("file").click();
byId("file").onchange = async (event) => {
  const [file] = event.target.files;
  if (file) load(await file.arrayBuffer());
  event.target.value = "";
};
byId("help").onclick = KEYS["?"];
reviewer.onchange = keep;
new ResizeObserver(measureHead).observe(document.querySelector("header"));

const found = stored(STORE);
if (found?.study === study.id) takeOver(found);
else if (found) reviewer.value = found.reviewer;
// The review beside the page is taken once; what was removed from it here stays away.
if (study.review.length && state.seen !== study.reviewId) {
  state.seen = study.reviewId;
  merge(study.review);
}
const earlier = setAside(found);
if (earlier) {
  say(`${earlier.length} verdicts in this browser are of an earlier measurement of this folder. `);
  const use = make("button", { text: "Use them" }), drop = make("button", { text: "Remove them" });
  use.onclick = () => { merge(earlier); state.unsaved++; keep(); endEarlier(); };
  drop.onclick = endEarlier;
  byId("said").append(use, drop);
}
function endEarlier() { localStorage.removeItem(EARLIER); refreshAll(); say(""); }
if (!state.kept) say("This browser keeps nothing: save review.csv before you leave.", true);

const near = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes)
    if (isIntersecting) build(target.exam); else takeDown(target.exam);
}, { rootMargin: "1200px 0px" });
refreshAll();
// Exams that are not built yet are taken to be as high as the first one.
const first = exams.find((exam) => !exam.facts.failure);
if (first) {
  build(first);
  document.documentElement.style.setProperty("--tall", `${first.node.offsetHeight}px`);
}
exams.forEach((exam) => near.observe(exam.node));
if (location.hash) goToAnchor();
window.addEventListener("hashchange", goToAnchor);
document.body.dataset.ready = "yes";
