// What is kept in this browser. Where it keeps nothing, the page says so and asks before it is left.
const STORE = "multifidus-review:" + location.pathname;
const EARLIER = STORE + ":earlier";
const state = { entries: new Map(), byExam: new Map(), unsaved: 0, seen: "", kept: true,
  past: [] };

function indexEntries() {
  state.byExam.clear();
  for (const entry of [...state.entries.values()].sort(byDate)) {
    const exam = examOf(entry);
    if (!state.byExam.has(exam)) state.byExam.set(exam, []);
    state.byExam.get(exam).push(entry);
  }
}
const entriesAbout = (unit) => state.byExam.get(examOf(unit)) ?? [];

function keep() {
  const text = JSON.stringify({ study: study.id, seen: state.seen, unsaved: state.unsaved,
    reviewer: reviewer.value, entries: [...state.entries.values()] });
  try {
    localStorage.setItem(STORE, text);
    state.kept = true;
  } catch {
    if (state.kept) say("This browser keeps nothing: save review.csv before you leave.", true);
    state.kept = false;
  }
}

// Returns what is kept, null where there is nothing; what cannot be read is set aside, not lost.
function stored(name) {
  let text = null;
  try {
    text = localStorage.getItem(name);
    return text === null ? null : JSON.parse(text);
  } catch {
    state.kept = text !== null;
    if (text !== null) localStorage.setItem(name + ":unreadable", text);
    return null;
  }
}

// Verdicts on other values than those of this page stay until somebody decides about them.
function setAside(found) {
  const before = stored(EARLIER) ?? [];
  const old = found && found.study !== study.id ? found.entries : [];
  if (old.length) {
    localStorage.setItem(EARLIER, JSON.stringify([...before, ...old]));
    keep();
  }
  return before.length + old.length ? [...before, ...old] : null;
}

function takeOver(found) {
  state.entries = new Map(found.entries.map((entry) => [scopeOf(entry), entry]));
  state.unsaved = found.unsaved;
  state.seen = found.seen;
  reviewer.value = found.reviewer;
  indexEntries();
}

// Sets or removes one verdict; what was there before can be had back.
function put(scope, entry) {
  state.past.push([scope, state.entries.get(scope)]);
  replaceEntry(scope, entry);
}
function replaceEntry(scope, entry) {
  state.entries.delete(scope);
  if (entry) state.entries.set(scope, entry);
  state.unsaved++;
  indexEntries();
  keep();
}
function undo() {
  const last = state.past.pop();
  if (last) replaceEntry(...last);
  return last !== undefined;
}

// Of two verdicts on the same, the one of the later date counts, and of one date the one that is
// taken last; returns how many were taken.
function merge(entries) {
  const before = state.entries.size ? new Map(state.entries) : null;
  let taken = 0;
  for (const entry of [...entries].sort(byDate)) {
    const scope = scopeOf(entry), ours = state.entries.get(scope);
    if (ours && ours.verdict && ours.date > entry.date) continue;
    // Put behind all others, as it is behind them in the file.
    state.entries.delete(scope);
    state.entries.set(scope, entry);
    taken += !ours || COLUMNS.some((name) => ours[name] !== entry[name]);
  }
  // What was only loaded is in a file already.
  if (before && taken) state.unsaved++;
  indexEntries();
  keep();
  return taken;
}

window.addEventListener("beforeunload", (event) => {
  if (!state.kept && state.unsaved) event.preventDefault();
});
window.addEventListener("storage", (event) => {
  if (event.key !== STORE || !event.newValue) return;
  takeOver(JSON.parse(event.newValue));
  refreshAll();
});
