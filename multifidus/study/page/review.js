// Verdicts and review.csv: nothing here knows the page. The rules are those of
// multifidus/data/review.py, multifidus/io/review_csv.py and multifidus/io/table_reader.py.
"use strict";
const COLUMNS = ["subject", "timepoint", "rater", "reading", "level", "side", "structure",
  "verdict", "comment", "reviewer", "date"];
const SCOPE = COLUMNS.slice(0, 7);
const REQUIRED = ["subject", "timepoint", "verdict"];
const MARKS = [",", ";", "\t"];
const VERDICTS = ["pass", "fail", "repeat"];
const SIDES = ["left", "right", "both", "none"];
const LEVELS = ["T12", "T12-L1", "L1", "L1-L2", "L2", "L2-L3", "L3", "L3-L4", "L4", "L4-L5", "L5",
  "L5-L6", "L6", "L6-S1", "L5-S1", "S1", "unknown"];
const STRUCTURES = ["multifidus", "erector_spinae", "psoas", "quadratus_lumborum", "autochthonous",
  "vertebral_body", "disc", "lean_reference", "fat_reference", "subcutaneous_fat", "csf", "artefact"];

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

// Bytes of a file as text: UTF-8, or UTF-16 where it begins with its mark.
function textOf(bytes) {
  const [first, second] = new Uint8Array(bytes);
  const kind = first === 0xff && second === 0xfe ? "utf-16le" :
    first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(kind, { fatal: true }).decode(bytes);
  } catch {
    throw new Error("It is no text in UTF-8.");
  }
}

// Rows of cells with the number of the line each begins on; quoted cells may hold ends of lines.
function cellsOf(text, mark) {
  const rows = [];
  let cells = [], cell = "", state = "plain", line = 1, begun = 1;
  const endCell = () => { cells.push(cell); cell = ""; state = "plain"; };
  const wrong = (what) => new Error(`Line ${begun}: ${what}. Check the quotation marks.`);
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    const isEnd = sign === "\n" || (sign === "\r" && text[at + 1] !== "\n");
    if (isEnd) line++;
    if (state === "quoted") {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') { cell += '"'; at++; } else state = "closed";
    } else if (isEnd) {
      endCell();
      rows.push({ line: begun, cells });
      cells = []; begun = line;
    } else if (sign === mark) endCell();
    else if (sign === "\r") continue;
    else if (state === "closed") throw wrong("a quoted cell goes on after its end");
    else if (sign === '"' && cell === "") state = "quoted";
    else cell += sign;
  }
  if (state === "quoted") throw wrong("a quoted cell has no end");
  if (cell !== "" || cells.length || state === "closed") { endCell(); rows.push({ line: begun, cells }); }
  return rows.filter((row) => row.cells.some((one) => one.trim()));
}

// What separates the cells: what a first line sep=; says, else what makes the most columns.
function tableOf(text) {
  const plain = text.replace(/^\uFEFF/, "");
  const said = /^\s*"?sep=(.)"?[,;\t]*[^\S\r\n]*(?:\r\n|\r|\n|$)/i.exec(plain);
  if (said) {
    if (!MARKS.includes(said[1])) throw new Error(`It says that "${said[1]}" separates its cells.`);
    return { mark: said[1], rows: cellsOf(plain, said[1]).filter((row) => row.line > 1) };
  }
  const named = (mark) => {
    try {
      return cellsOf(plain, mark)[0]?.cells.filter((one) => one.trim()).length ?? 0;
    } catch { return 0; }
  };
  const counts = MARKS.map(named), most = Math.max(...counts);
  if (most > 1 && counts.filter((one) => one === most).length > 1)
    throw new Error("More than one sign may separate its cells.");
  const mark = most > 1 ? MARKS[counts.indexOf(most)] : ",";
  return { mark, rows: cellsOf(plain, mark) };
}

// --- what a cell may hold ---

const folded = (name) => name.normalize("NFKC").replace(/[\s_]+/g, "").toLowerCase();
const isMissing = (text) => ["", "na", "n/a", "#n/a", "nan"].includes(text.toLowerCase());

const wordOf = (allowed) => (text) => allowed.find((word) => word.toLowerCase() === text.toLowerCase());
function readingOf(text, mark) {
  const found = (mark === "," ? /^\+?(\d+)(?:\.0*)?$/ : /^\+?(\d+)(?:\.0*|,0{1,2})?$/).exec(text);
  return found && Number(found[1]) > 0 ? String(BigInt(found[1])) : undefined;
}
// Dates such that later ones sort after as texts.
function dateOf(text) {
  const found = /^([1-9]\d{3}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?)?$/.exec(text);
  if (!found) return undefined;
  const time = `${found[2] ?? "00:00"}${found[3] ?? ":00"}`;
  const when = new Date(`${found[1]}T${time}Z`);
  if (isNaN(when) || when.toISOString().slice(0, 19) !== `${found[1]}T${time}`) return undefined;
  return found[2] ? `${found[1]}T${time}` : found[1];
}
const READ = { verdict: [wordOf(VERDICTS), VERDICTS.join(", ")],
  reading: [readingOf, "1, 2, ..."], date: [dateOf, "2026-11-30 and 2026-11-30T14:05"],
  level: [wordOf(LEVELS), LEVELS.join(", ")], side: [wordOf(SIDES), SIDES.join(", ")],
  structure: [wordOf(STRUCTURES), STRUCTURES.join(", ")] };

function valueOf(name, cell, { line, mark }) {
  // Somebody may have the initials NA.
  const text = cell.trim(), isText = ["rater", "comment", "reviewer"].includes(name);
  if (!isText && isMissing(text)) {
    if (REQUIRED.includes(name)) throw new Error(`Line ${line}: it has no ${name}.`);
    return "";
  }
  const [read, allowed] = READ[name] ?? [(same) => same];
  const value = read(text, mark);
  if (value === undefined) throw new Error(`Line ${line}: ${name} is "${text}"; allowed are ${allowed}.`);
  return value;
}

function columnsOf(cells) {
  const names = cells.map((cell) => COLUMNS.find((name) => folded(name) === folded(cell)) ??
    unguarded(cell).trim());
  const known = `Its columns are: ${COLUMNS.join(", ")}.`;
  const lacking = REQUIRED.filter((name) => !names.includes(name));
  if (lacking.length) throw new Error(`It lacks the columns ${lacking.join(", ")}. ${known}`);
  const strange = names.filter((name) => name && !COLUMNS.includes(name));
  if (strange.length)
    throw new Error(`It has columns that are none of a table of verdicts: ${strange.join(", ")}. ${known}`);
  const twice = names.find((name, at) => name && names.indexOf(name) !== at);
  if (twice) throw new Error(`It has two columns ${twice}.`);
  return names;
}

// Returns the verdicts of a table, or throws with the line that cannot be understood.
function entriesOf(text) {
  const { mark, rows: [head, ...rows] } = tableOf(text);
  const names = columnsOf(head?.cells ?? []);
  return rows.map(({ line, cells }) => {
    const lost = cells.findIndex((cell, place) => !names[place] && cell.trim());
    if (lost >= 0) throw new Error(`Line ${line} has "${cells[lost]}" in column ${lost + 1}, which has no name.`);
    return Object.fromEntries(COLUMNS.map((name) =>
      [name, valueOf(name, unguarded(cells[names.indexOf(name)] ?? ""), { line, mark })]));
  });
}

// --- which verdict counts ---

// A verdict on an exam or on a muscle of it; an empty cell of the verdict stands for all.
const covers = (entry, unit) => SCOPE.every((name) => entry[name] === unit[name] ||
  (entry[name] === "" && name !== "subject") ||
  (name === "side" && entry.side === "both" && ["left", "right"].includes(unit.side)));

const byDate = (one, other) => (one.date < other.date ? -1 : one.date > other.date ? 1 : 0);

// The verdict that counts for a unit, the last one on it, among those of its exam in the order of
// their dates.
const verdictOn = (entries, unit) =>
  entries.findLast((entry) => entry.verdict && covers(entry, unit)) ?? null;

function nowAsText() {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}
