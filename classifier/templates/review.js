// Editor for labels: saves every change through the server that delivered the page.
const PAUSE = 120; // milliseconds to wait for further changes before saving
const rows = []; // {line, row, name, sure, mark, heard} of each non-blank line, in order
const labelled = new Map(); // row -> label code set by the user since the file was opened
const done = []; // undo stack of steps [[row, code before, code after], ...]; undefined means not set by the user
const undone = [];
let cursor = 0;
let anchor = 0; // the other end of the selected range
let doubts = []; // row indices, least certain first
let doubt = -1; // position in doubts

// -- building ------------------------------------------------------------------------------------------------------------

function drawLines() {
  for (const row of data.lines) {
    if (row === 0) {
      byId("lines").append(presentation(make("li", "blank")));
      continue;
    }
    const [place, number, text, cut, code, certainty, guess, probability] = row;
    byId("lines").append(drawLine({ place, number, text, cut, code, certainty, guess, probability }, rows.length));
  }
  doubts = [...rows.keys()].sort((one, other) => rows[one].line.certainty - rows[other].line.certainty || one - other);
}

function drawLine(line, index) {
  const mark = make("span", "");
  const name = make("span", "");
  const sure = make("span", "percent number");
  const heard = make("span", "heard");
  const text = make("span", "text", ...visible(line.text));
  if (line.cut) text.append(make("span", "quiet", ` … ${line.cut} more characters`));
  const row = make("div", "line", make("span", "place number", String(line.number)), make("span", "tag", mark, name), sure, heard, text);
  row.id = "line-" + index;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  row.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault()); // do not select text
  row.addEventListener("click", (event) => choose(index, event.shiftKey, false));
  rows.push({ line, row, name, sure, mark, heard });
  paint(index);
  return presentation(make("li", "", row));
}

const codeOf = (index) => labelled.get(index) ?? rows[index].line.code;
const isDoubtful = (index) => !labelled.has(index) && rows[index].line.certainty < DOUBTFUL;

function paint(index) {
  const { line, row, name, sure, mark, heard } = rows[index];
  const byUser = labelled.has(index);
  hue(row, codeOf(index));
  name.textContent = nameOf(codeOf(index));
  sure.textContent = byUser ? "you" : percent(line.certainty);
  mark.className = byUser ? "disc" : isDoubtful(index) ? "ring" : "";
  heard.textContent = byUser ? "labelled by you: " : isDoubtful(index) ? "doubtful: " : "";
}

function drawLegend() {
  data.labels.forEach(([name, description], code) => {
    const button = make("button", "", make("kbd", "", KEYS[code]), make("span", "name", name), make("span", "count number quiet"));
    button.append(make("span", "what quiet", description));
    button.type = "button";
    button.title = description;
    button.setAttribute("aria-keyshortcuts", KEYS[code]);
    button.addEventListener("click", () => give(code));
    hue(button, code);
    byId("legend").append(button);
  });
}

function drawPages() {
  if (data.pages < 2) return;
  const link = (page, text, key) => {
    const place = make("a", "", text + " ", make("kbd", "", key));
    place.href = String(page);
    place.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      turn(page - data.page);
    });
    return place;
  };
  const { page, pages } = data;
  byId("pages").append(
    page > 0 ? link(page - 1, "previous page", "[") : "",
    make("span", "number", `page ${page + 1} of ${pages}, the least certain first`),
    page < pages - 1 ? link(page + 1, "next page", "]") : "",
  );
  byId("pages").hidden = false;
}

function drawHead() {
  const counts = data.labels.map(() => 0);
  rows.forEach((_, index) => (counts[codeOf(index)] += 1));
  const left = rows.filter((_, index) => isDoubtful(index)).length;
  byId("summary").textContent = `${rows.length} lines, ${left} doubtful, ${labelled.size} labelled by you`;
  [...byId("legend").children].forEach((button, code) => (button.querySelector(".count").textContent = String(counts[code])));
  byId("undo").disabled = !done.length;
  byId("redo").disabled = !undone.length;
}

// -- the selected lines --------------------------------------------------------------------------------------------------

const range = () => [Math.min(anchor, cursor), Math.max(anchor, cursor)];

function choose(index, extend = false, scroll = true) {
  if (!rows.length) return;
  const [oldFirst, oldLast] = range();
  rows[cursor].row.classList.remove("cursor");
  cursor = Math.max(0, Math.min(rows.length - 1, index));
  if (!extend) anchor = cursor;
  const [first, last] = range();
  for (let at = oldFirst; at <= oldLast; at++) if (at < first || at > last) rows[at].row.setAttribute("aria-selected", "false");
  for (let at = first; at <= last; at++) rows[at].row.setAttribute("aria-selected", "true");
  const { row } = rows[cursor];
  row.classList.add("cursor");
  byId("lines").setAttribute("aria-activedescendant", row.id);
  if (scroll) row.scrollIntoView({ block: "nearest" });
  drawVerdict();
}

function drawVerdict() {
  const [first, last] = range();
  const { line } = rows[cursor];
  const says = `The model says ${nameOf(line.guess)}, ${percent(line.probability)}`;
  const file = line.guess === line.code ? "" : `; the file says ${nameOf(line.code)}, to which the model gives ${percent(line.certainty)}`;
  const place = doubt >= 0 && doubts[doubt] === cursor ? ` Number ${doubt + 1} in order of doubt.` : "";
  byId("verdict").textContent = last > first ? `${last - first + 1} lines selected.` : `Line ${line.number}. ${says}${file}.${place}`;
  [...byId("legend").children].forEach((button, code) => button.setAttribute("aria-current", String(code === codeOf(cursor))));
}

function nextDoubt(step) {
  let place = doubt + step;
  while (step > 0 && labelled.has(doubts[place])) place += step;
  if (place < 0 || place >= doubts.length) return;
  doubt = place;
  choose(doubts[place]);
  rows[cursor].row.scrollIntoView({ block: "center" });
}

// -- labelling -----------------------------------------------------------------------------------------------------------

function give(code) {
  const step = [];
  const [first, last] = range();
  for (let index = first; index <= last && index < rows.length; index++) {
    if (labelled.get(index) !== code) step.push([index, labelled.get(index), code]);
  }
  if (!step.length) return;
  done.push(step);
  undone.length = 0;
  apply(step.map(([index, , after]) => [index, after]));
}

function apply(changes) {
  for (const [index, code] of changes) {
    if (code === undefined) labelled.delete(index);
    else labelled.set(index, code);
    paint(index);
  }
  drawHead();
  drawVerdict();
  keep();
}

function travel(from, to, side) {
  const step = from.pop();
  if (!step) return;
  to.push(step);
  choose(step[0][0]);
  choose(step.at(-1)[0], true);
  apply(step.map((change) => [change[0], change[side]]));
}

const undo = () => travel(done, undone, 1);
const redo = () => travel(undone, done, 2);

// -- saving --------------------------------------------------------------------------------------------------------------

let sequence = 0; // number of the newest change
let saved = 0; // number of the newest change in the file
let running = null; // promise of the save in progress
let lost = false; // another window or program took over the file: nothing more can be saved from here
let timer = 0;

function keep() {
  sequence += 1;
  if (lost) return;
  tell(byId("alarm").childNodes.length ? "Not saved" : "Saving …", byId("alarm").childNodes.length > 0);
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

function save() {
  clearTimeout(timer);
  if (lost || saved === sequence) return Promise.resolve();
  running ??= sendAll().finally(() => (running = null));
  return running;
}

async function sendAll() {
  while (saved !== sequence) { // one request at a time, until the newest change is saved
    const number = sequence;
    const changes = Object.fromEntries([...labelled].map(([index, code]) => [rows[index].line.place, code]));
    const complaint = await post({ window: data.window, sequence: number, changes });
    if (complaint) return alarm(complaint);
    saved = number;
    byId("alarm").replaceChildren();
  }
  tell("Saved", false);
}

async function post(message) {
  try {
    const answer = await fetch(location.href, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) });
    lost = answer.status === 409;
    return answer.ok ? "" : (await answer.json()).error;
  } catch {
    return "tinsach does not answer; start it again, and redo your last changes";
  }
}

function alarm(complaint) {
  tell("Not saved", true);
  const button = make("button", "", lost ? "Reload the page" : "Try again");
  button.type = "button";
  button.addEventListener("click", lost ? reload : save);
  byId("alarm").replaceChildren(...visible(`Not saved: ${complaint}`), button);
}

function tell(state, failed) {
  byId("state").textContent = state;
  byId("state").className = "number" + (failed ? " failed" : "");
}

function reload() {
  sequence = saved; // discard unsaved changes
  location.reload();
}

// -- keys ----------------------------------------------------------------------------------------------------------------

function turn(step) {
  const page = data.page + step;
  if (page >= 0 && page < data.pages) save().then(() => location.assign(String(page)));
}

const help = () => byId("help").showModal();
const ACTIONS = {
  ArrowDown: (shift) => choose(cursor + 1, shift), ArrowUp: (shift) => choose(cursor - 1, shift),
  j: () => choose(cursor + 1), k: () => choose(cursor - 1), J: () => choose(cursor + 1, true), K: () => choose(cursor - 1, true),
  Home: (shift) => choose(0, shift), End: (shift) => choose(rows.length - 1, shift),
  n: () => nextDoubt(1), p: () => nextDoubt(-1), u: undo, r: redo, "[": () => turn(-1), "]": () => turn(1),
  Escape: () => choose(cursor), t: flipTheme, "?": help,
};
const WITH_CONTROL = { z: undo, Z: redo, y: redo };
[...KEYS].forEach((key, code) => (ACTIONS[key] = () => give(code)));

document.addEventListener("keydown", (event) => {
  const actions = event.ctrlKey || event.metaKey ? WITH_CONTROL : ACTIONS;
  if (!Object.hasOwn(actions, event.key) || event.altKey || byId("help").open) return;
  event.preventDefault();
  actions[event.key](event.shiftKey);
});
byId("undo").addEventListener("click", undo);
byId("redo").addEventListener("click", redo);
byId("next").addEventListener("click", () => nextDoubt(1));
byId("before").addEventListener("click", () => nextDoubt(-1));
byId("theme").addEventListener("click", flipTheme);
byId("help-button").addEventListener("click", help);
document.addEventListener("visibilitychange", () => document.hidden && save());
window.addEventListener("beforeunload", (event) => {
  save();
  if (saved !== sequence) event.preventDefault(); // the browser asks for confirmation
});

byId("name").textContent = data.name;
drawLines();
drawLegend();
drawPages();
drawHead();
if (rows.length) choose(0, false, false);
tell("Saved", false);
