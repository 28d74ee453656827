// Editor for labels: saves every change through the server that delivered the page.
const PAUSE = 120; // milliseconds to wait for further changes before saving
const rows = []; // {line, item, row, gaps, name, sure, mark, heard} of each non-blank line, in order; gaps are the blank lines before it
const labelled = new Map(); // row -> label code set by the user since the file was opened
const done = []; // undo stack of steps [[row, code before, code after], ...]; undefined means not set by the user
const undone = [];
let cursor = 0;
let anchor = 0; // the other end of the selected range
let doubts = []; // rows that neither a person nor a rule had set when the file was opened, least certain first
let doubt = -1; // position in doubts

const KINDS = [{ name: "Doubtful only", key: "d", test: (index) => isDoubtful(index) }];
const codeOf = (index) => labelled.get(index) ?? rows[index].line.code;
const isDoubtful = (index) => !labelled.has(index) && !rows[index].line.fixed && rows[index].line.certainty < DOUBTFUL;
const isVisible = (index) => !rows[index].item.hidden;
const isSelected = (index) => rows[index].row.getAttribute("aria-selected") === "true";
const current = () => (rows.length ? cursor : -1);
const strength = () => 0.75;

// -- building ------------------------------------------------------------------------------------------------------------

function drawLines() {
  let gaps = [];
  for (const row of data.lines) {
    if (!Array.isArray(row)) { // blank: 0, or the text of a line that shows nothing, such as a lone tag
      gaps.push(presentation(make("li", "blank", ...(row ? visible(row) : []))));
      byId("lines").append(gaps.at(-1));
      continue;
    }
    const [place, number, text, cut, code, certainty, fixed, guess, probability] = row;
    const line = { place, number, text, cut, code, certainty, fixed, guess, probability };
    rows.push({ ...drawLine(line, rows.length), gaps });
    paint(rows.length - 1);
    byId("lines").append(rows.at(-1).item);
    gaps = [];
  }
  const certainty = (index) => rows[index].line.certainty;
  doubts = [...rows.keys()].filter((index) => !rows[index].line.fixed).sort((one, other) => certainty(one) - certainty(other) || one - other);
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
  row.addEventListener("click", (event) => choose(index, event.shiftKey));
  return { line, item: presentation(make("li", "", row)), row, name, sure, mark, heard };
}

function paint(index) {
  const { line, row, name, sure, mark, heard } = rows[index];
  const byUser = labelled.has(index);
  const doubtful = isDoubtful(index);
  hue(row, codeOf(index));
  row.classList.toggle("doubtful", doubtful);
  name.textContent = nameOf(codeOf(index));
  sure.textContent = byUser ? "you" : line.fixed ? "set" : percent(line.certainty);
  mark.className = byUser || line.fixed ? "disc" : doubtful ? "ring" : "";
  heard.textContent = byUser ? "labelled by you: " : line.fixed ? "set by a person or a rule: " : doubtful ? "doubtful: " : "";
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
  const left = rows.filter((_, index) => isDoubtful(index)).length;
  const earlier = rows.filter(({ line }, index) => line.fixed && !labelled.has(index)).length;
  byId("summary").textContent =
    `${rows.length} lines, ${left} doubtful, ${labelled.size} labelled by you` + (earlier ? `, ${earlier} set earlier` : "");
  byId("undo").disabled = !done.length;
  byId("redo").disabled = !undone.length;
  drawCounts();
}

// -- the selected lines --------------------------------------------------------------------------------------------------

const range = () => [Math.min(anchor, cursor), Math.max(anchor, cursor)];

function selected() {
  const [first, last] = range();
  return [...rows.keys()].slice(first, last + 1).filter(isVisible);
}

function choose(index, extend = false, scroll = follow) {
  if (!rows.length) return;
  const old = range();
  rows[cursor].row.classList.remove("cursor");
  cursor = Math.max(0, Math.min(rows.length - 1, index));
  if (!extend) anchor = cursor;
  const [first, last] = range();
  for (let at = old[0]; at <= old[1]; at++) if (at < first || at > last) rows[at].row.setAttribute("aria-selected", "false");
  for (let at = first; at <= last; at++) rows[at].row.setAttribute("aria-selected", String(isVisible(at)));
  const { row } = rows[cursor];
  row.classList.add("cursor");
  byId("lines").setAttribute("aria-activedescendant", row.id);
  drawVerdict();
  scroll(row); // after the panel is drawn: where it is at the bottom of the screen, its height decides what is in view
  drawMap();
}

const move = (step, extend) => choose(visibleFrom(cursor + step, step) ?? cursor, extend);
const end = (step, extend) => choose(visibleFrom(step > 0 ? 0 : rows.length - 1, step) ?? cursor, extend);

function drawVerdict() {
  const count = selected().length;
  const place = doubt >= 0 && doubts[doubt] === cursor ? ` Number ${doubt + 1} in order of doubt.` : "";
  byId("verdict").textContent = count === 1 ? `Line ${rows[cursor].line.number}. ${opinions(cursor)}.${place}` : `${count} lines selected.`;
  [...byId("legend").children].forEach((button, code) => button.setAttribute("aria-current", String(code === codeOf(cursor))));
}

function opinions(index) {
  const { code, certainty, fixed, guess, probability } = rows[index].line;
  const model = guess < 0 ? "To the model, the line is blank" : `The model says ${nameOf(guess)}, ${percent(probability)}`;
  const said = guess === code ? "" : `${nameOf(code)}, to which the model gives ${percent(certainty)}`;
  const file = fixed ? `; a person or a rule has set ${said || "it, too"}` : said && `; the file says ${said}`;
  return model + file + (labelled.has(index) ? `; you say ${nameOf(codeOf(index))}` : "");
}

function nextDoubt(step) {
  let place = doubt + step;
  const skipped = (index) => !isVisible(index) || (step > 0 && labelled.has(index));
  while (place >= 0 && place < doubts.length && skipped(doubts[place])) place += step;
  if (place < 0 || place >= doubts.length) return;
  doubt = place;
  choose(doubts[place], false, reveal);
}

function escape() {
  if (anchor === cursor) showAll();
  else choose(cursor);
}

// -- labelling -----------------------------------------------------------------------------------------------------------

function give(code) {
  const step = selected().filter((index) => labelled.get(index) !== code).map((index) => [index, labelled.get(index), code]);
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
  drawMap();
  keep();
}

function travel(from, to, side) {
  const step = from.pop();
  if (!step) return;
  to.push(step);
  for (const [index] of step) rows[index].item.hidden = false; // show what changes, whatever the filter
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
  reveal(rows[cursor].row); // the alarm may cover it
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
  ArrowDown: (shift) => move(1, shift), ArrowUp: (shift) => move(-1, shift),
  j: () => move(1), k: () => move(-1), J: () => move(1, true), K: () => move(-1, true),
  Home: (shift) => end(1, shift), End: (shift) => end(-1, shift),
  n: () => nextDoubt(1), p: () => nextDoubt(-1), u: undo, r: redo, "[": () => turn(-1), "]": () => turn(1),
  d: () => flip(only, 0), Escape: escape, t: otherTheme, "?": help,
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
drawFilters(false);
drawHead();
filter();
choose(0, false, reveal);
tell("No changes", false);
