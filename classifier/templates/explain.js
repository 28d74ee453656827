// Draws the report from the embedded data.
const rows = []; // {line, item, row, gaps, page} of each non-blank line, in order; gaps are the blank lines before it
let chosen = -1;

const changed = (line) => line.guess !== line.code;
const KINDS = [
  { name: "Kept only", key: "x", test: (index) => rows[index].line.kept },
  { name: "Changed only", key: "c", test: (index) => changed(rows[index].line) },
];
const codeOf = (index) => rows[index].line.code;
const isDoubtful = (index) => rows[index].line.probability < DOUBTFUL;
const isSelected = (index) => index === chosen;
const current = () => chosen;
const strength = (index) => (rows[index].line.kept ? 0.95 : 0.5) * (0.35 + 0.65 * rows[index].line.probability);

// -- building ------------------------------------------------------------------------------------------------------------

function expanded(row) {
  const [number, text, cut, code, guess, probability, kept, runner, firstPass, contextPass] = row;
  return { number, text, cut, code, guess, probability, kept, runner, firstPass, contextPass };
}

const signed = (weight) => (weight < 0 ? "−" : "+") + Math.abs(weight).toFixed(2);

function drawLine(line, index) {
  const fate = make("span", "heard", line.kept ? "kept: " : "dropped: ");
  const tag = make("span", "tag", make("span", changed(line) ? "ring" : ""), make("span", "", nameOf(line.code)));
  const sure = make("span", "percent number", percent(line.probability));
  const text = make("span", "text", ...visible(line.text));
  if (line.cut) text.append(make("span", "quiet", ` … ${line.cut} more characters`));
  const looks = ["line", line.kept ? "kept" : "dropped", line.probability < DOUBTFUL ? "doubtful" : ""].join(" ").trim();
  const row = make("div", looks, make("span", "place number", String(line.number)), tag, sure, fate, text);
  row.style.setProperty("--p", line.probability);
  hue(row, line.code);
  const history = changed(line) ? `first guess ${nameOf(line.guess)}, then ${nameOf(line.code)}` : `first guess ${nameOf(line.guess)}, unchanged`;
  const guess = make("div", "guess", `${history}, ${percent(line.probability)}, ${line.kept ? "kept" : "dropped"}`);
  guess.setAttribute("aria-hidden", "true"); // repeated in the panel
  const item = presentation(make("li", "", row, guess));
  row.id = "line-" + index;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  item.addEventListener("click", () => {
    openWhy(true);
    choose(index);
  });
  return { line, item, row };
}

function drawLines() {
  const list = byId("lines");
  for (const [name, page] of data.pages) {
    if (data.pages.length > 1) list.append(presentation(make("li", "divider", ...visible(name))));
    if (!page.length) list.append(presentation(make("li", "blank", "no lines")));
    let gaps = [];
    for (const row of page) {
      if (!Array.isArray(row)) { // blank: 0, or the text of a line that shows nothing, such as a lone tag
        gaps.push(presentation(make("li", "blank", ...(row ? visible(row) : []))));
        list.append(gaps.at(-1));
        continue;
      }
      rows.push({ ...drawLine(expanded(row), rows.length), gaps, page: name });
      list.append(rows.at(-1).item);
      gaps = [];
    }
  }
}

function drawHead() {
  const count = (test) => rows.filter(({ line }) => test(line)).length;
  byId("name").textContent = data.name;
  byId("summary").textContent =
    `${rows.length} lines, ${count((line) => line.kept)} kept, ${count((line) => !line.kept)} dropped, ${count(changed)} changed by context`;
  drawFilters(true);
  drawCounts();
}

// -- the selected line ---------------------------------------------------------------------------------------------------

function choose(index, scroll = follow) {
  if (index < 0 || index >= rows.length) return;
  if (chosen >= 0) rows[chosen].row.setAttribute("aria-selected", "false");
  chosen = index;
  const { row } = rows[index];
  row.setAttribute("aria-selected", "true");
  byId("lines").setAttribute("aria-activedescendant", row.id);
  drawWhy(rows[index]);
  scroll(row); // after the panel is drawn: where it is at the bottom of the screen, its height decides what is in view
  drawMap();
}

const move = (step, wanted) => choose(visibleFrom(chosen + step, step, wanted) ?? -1, wanted ? reveal : follow);
const end = (step) => choose(visibleFrom(step > 0 ? 0 : rows.length - 1, step) ?? -1);

function openWhy(open) {
  byId("why").hidden = !open;
  byId("details").setAttribute("aria-expanded", String(open));
  if (chosen >= 0 && !rows[chosen].item.hidden) follow(rows[chosen].row);
  drawMap();
}

const switchWhy = () => openWhy(byId("why").hidden);

function drawWhy({ line, page }) {
  hue(byId("why"), line.code);
  const versus = `${nameOf(line.code)} against ${nameOf(line.runner)}`;
  const guess = changed(line) ? `The first guess was ${nameOf(line.guess)}; context changed it to ${nameOf(line.code)}.` : "Same as the first guess.";
  byId("why").scrollTop = 0;
  byId("reasons").replaceChildren(
    make("h2", "", `Line ${line.number}: `, make("span", "tag", nameOf(line.code)), ` ${percent(line.probability)}, ${line.kept ? "kept" : "dropped"}`),
    data.pages.length > 1 ? make("p", "quiet", ...visible(page)) : "",
    make("div", "quote", ...visible(line.text.slice(0, 300))),
    make("p", "", guess),
    make("p", "quiet", data.labels[line.code][1]),
    drawPass("The line in context, which decides", versus, line.contextPass),
    drawPass("The line by itself", versus, line.firstPass),
  );
}

function drawPass(title, versus, [odds, rest, features]) {
  const largest = Math.max(...features.map(([, , weight]) => Math.abs(weight)), Math.abs(rest), 1e-9);
  const shares = features.map(([name, reading, weight]) => drawShare(data.names[name], reading, weight, largest));
  shares.push(drawShare("everything else, including the bias", "", rest, largest));
  const total = make("div", "share total", make("span", "what", "log odds"), make("span", "weight number", signed(odds)));
  return make("section", "", make("h3", "", title), make("p", "quiet", versus), ...shares, total);
}

function drawShare(name, reading, weight, largest) {
  const what = make("span", "what", ...visible(name), reading ? make("span", "quiet", ` (${reading})`) : null);
  const bar = make("i", "");
  bar.style.setProperty("--size", Math.abs(weight) / largest);
  return make("div", "share " + (weight < 0 ? "against" : "for"), what, make("span", "weight number", signed(weight)), make("div", "track", bar));
}

// -- keys ----------------------------------------------------------------------------------------------------------------

const ACTIONS = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  g: () => end(1), Home: () => end(1), G: () => end(-1), End: () => end(-1),
  n: () => move(1, isDoubtful), p: () => move(-1, isDoubtful),
  x: () => flip(only, 0), c: () => flip(only, 1), Escape: showAll, i: switchWhy, t: otherTheme,
  "?": () => byId("help").showModal(),
};
[...KEYS].forEach((key, code) => (ACTIONS[key] = () => flip(shown, code)));

document.addEventListener("keydown", (event) => {
  const action = Object.hasOwn(ACTIONS, event.key) && ACTIONS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  event.preventDefault();
  action();
});
byId("details").addEventListener("click", switchWhy);
byId("close").addEventListener("click", () => openWhy(false));
byId("help-button").addEventListener("click", ACTIONS["?"]);

drawLines();
drawHead();
filter();
choose(Math.max(0, rows.findIndex(({ line }) => line.kept)), reveal);
