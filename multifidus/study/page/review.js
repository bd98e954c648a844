// Verdicts and review.csv: nothing here knows the page. The rules are those of
// multifidus/data/review.py and multifidus/io/table_csv.py.
"use strict";
const COLUMNS = ["subject", "timepoint", "rater", "reading", "level", "side", "structure",
  "verdict", "comment", "reviewer", "date"];
const SCOPE = COLUMNS.slice(0, 7);
const VERDICTS = ["pass", "fail", "repeat"];

const scopeOf = (entry) => JSON.stringify(SCOPE.map((name) => entry[name]));
const examOf = (entry) => JSON.stringify([entry.subject, entry.timepoint]);

// What a spreadsheet would take for a formula gets an apostrophe in front.
const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const HARMLESS = new RegExp(`^${NUMBER}(?: to ${NUMBER}| \\[${NUMBER}, ${NUMBER}\\])?$`);
function isLikeFormula(text) {
  const found = /^'*([=+\-@\t\r][^]*)$/.exec(text);
  return found !== null && !HARMLESS.test(found[1]);
}
const guarded = (text) => (isLikeFormula(text) ? "'" + text : text);
const unguarded = (text) => (text.startsWith("'") && isLikeFormula(text) ? text.slice(1) : text);

function csvOf(entries) {
  const cell = (text) => {
    const safe = guarded(String(text));
    return /[,"\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  const lines = entries.map((entry) => COLUMNS.map((name) => cell(entry[name])).join(","));
  return [COLUMNS.join(","), ...lines].join("\n") + "\n";
}

// Rows of cells with the number of the line each begins on; quoted cells may hold ends of lines.
function cellsOf(text) {
  const plain = text.replace(/^\uFEFF/, "");
  const first = plain.split(/\r?\n/, 1)[0];
  const mark = [",", ";", "\t"].reduce((best, one) =>
    first.split(one).length > first.split(best).length ? one : best);
  const rows = [];
  let cells = [], cell = "", quoted = false, line = 1, begun = 1;
  const endRow = () => {
    cells.push(cell);
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: begun, cells });
    cells = []; cell = "";
  };
  for (let at = 0; at < plain.length; at++) {
    const sign = plain[at];
    if (sign === "\n") line++;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (plain[at + 1] === '"') { cell += '"'; at++; } else quoted = false;
    } else if (sign === '"' && cell === "") quoted = true;
    else if (sign === mark) { cells.push(cell); cell = ""; }
    else if (sign === "\n") { endRow(); begun = line; }
    else if (sign !== "\r" || plain[at + 1] !== "\n") cell += sign;
  }
  if (cell !== "" || cells.length) endRow();
  return rows;
}

// Returns the verdicts of a table, or throws with the line that cannot be understood.
function entriesOf(text) {
  const [head, ...rows] = cellsOf(text);
  const names = head ? head.cells.map((name) => name.trim().toLowerCase()) : [];
  const lacking = ["subject", "timepoint", "verdict"].filter((name) => !names.includes(name));
  if (lacking.length) throw new Error(`It lacks the columns ${lacking.join(", ")}.`);
  return rows.map(({ line, cells }) => {
    const entry = Object.fromEntries(COLUMNS.map((name) => {
      const place = names.indexOf(name);
      return [name, place < 0 ? "" : unguarded((cells[place] ?? "").trim())];
    }));
    entry.verdict = entry.verdict.toLowerCase();
    if (!entry.subject || !entry.timepoint) throw new Error(`Line ${line} names no exam.`);
    if (!VERDICTS.includes(entry.verdict))
      throw new Error(`Line ${line}: the verdict is "${entry.verdict}", not pass, fail or repeat.`);
    return entry;
  });
}

// A verdict on an exam or on a muscle of it; an empty cell of the verdict stands for all.
const covers = (entry, unit) =>
  SCOPE.every((name) => entry[name] === unit[name] || (entry[name] === "" && name !== "subject"));

// The verdict that counts for a unit, among those of its exam in the order of their dates.
function verdictOn(entries, unit) {
  const found = entries.filter((entry) => entry.verdict && covers(entry, unit));
  return found.findLast((entry) => entry.verdict !== "pass") ?? found.at(-1) ?? null;
}

function nowAsText() {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}
