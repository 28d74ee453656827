// Draws the report from the embedded data.
const shown = { labels: new Set(data.labels.map((_, code) => code)), kept: false, changed: false };
const rows = []; // {line, item, gaps} of each non-blank line, in order; gaps are the blank lines before it
let chosen = -1;

// -- building ------------------------------------------------------------------------------------------------------------

function expanded(row) {
  const [number, text, cut, code, guess, probability, kept, runner, firstPass, contextPass] = row;
  return { number, text, cut, code, guess, probability, kept, runner, firstPass, contextPass };
}

const changed = (line) => line.guess !== line.code;
const signed = (weight) => (weight < 0 ? "−" : "+") + Math.abs(weight).toFixed(2);

function drawLine(line, index) {
  const fate = make("span", "heard", line.kept ? "kept: " : "dropped: ");
  const tag = make("span", "tag", make("span", changed(line) ? "ring" : ""), make("span", "", nameOf(line.code)));
  const sure = make("span", "percent number", percent(line.probability));
  const text = make("span", "text", ...visible(line.text));
  if (line.cut) text.append(make("span", "quiet", ` … ${line.cut} more characters`));
  const row = make("div", "line " + (line.kept ? "kept" : "dropped"), make("span", "place number", String(line.number)), tag, sure, fate, text);
  row.style.setProperty("--p", line.probability);
  hue(row, line.code);
  const history = changed(line) ? `first guess ${nameOf(line.guess)}, then ${nameOf(line.code)}` : `first guess ${nameOf(line.guess)}, unchanged`;
  const guess = make("div", "guess", `${history}, ${percent(line.probability)}, ${line.kept ? "kept" : "dropped"}`);
  guess.setAttribute("aria-hidden", "true"); // repeated in the panel
  const item = make("li", "", row, guess);
  row.id = "line-" + index;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", "false");
  item.setAttribute("role", "presentation");
  item.addEventListener("click", () => choose(index, false));
  return item;
}

function drawLines() {
  const list = byId("lines");
  data.pages.forEach((page, number) => {
    if (data.pages.length > 1) list.append(presentation(make("li", "divider", `Page ${number + 1}`)));
    let gaps = [];
    for (const row of page) {
      if (row === 0) {
        gaps.push(presentation(make("li", "blank")));
        list.append(gaps.at(-1));
        continue;
      }
      const line = expanded(row);
      const item = drawLine(line, rows.length);
      rows.push({ line, item, gaps });
      list.append(item);
      gaps = [];
    }
  });
}

function drawHead() {
  const count = (test) => rows.filter(({ line }) => test(line)).length;
  byId("name").textContent = data.name;
  byId("summary").textContent =
    `${rows.length} lines, ${count((line) => line.kept)} kept, ${count((line) => !line.kept)} dropped, ${count(changed)} changed by context`;
  data.labels.forEach(([name, description], code) => {
    const lines = count((line) => line.code === code);
    const button = toggle(name, KEYS[code], () => flip(code));
    button.insertBefore(make("span", "count number", String(lines)), button.lastChild);
    button.title = description;
    hue(button, code);
    byId("labels").append(button);
  });
  byId("kinds").append(
    toggle("Kept only", "x", () => only("kept")),
    toggle("Changed only", "c", () => only("changed")),
  );
}

function toggle(name, key, action) {
  const button = make("button", "", name, make("kbd", "", key));
  button.type = "button";
  button.setAttribute("aria-keyshortcuts", key);
  button.addEventListener("click", action);
  return button;
}

// -- filters -------------------------------------------------------------------------------------------------------------

function flip(code) {
  if (!shown.labels.delete(code)) shown.labels.add(code);
  filter();
}

function only(kind) {
  shown[kind] = !shown[kind];
  filter();
}

function showAll() {
  data.labels.forEach((_, code) => shown.labels.add(code));
  shown.kept = shown.changed = false;
  filter();
}

function filter() {
  for (const { line, item, gaps } of rows) {
    item.hidden = !shown.labels.has(line.code) || (shown.kept && !line.kept) || (shown.changed && !changed(line));
    for (const gap of gaps) gap.hidden = item.hidden;
  }
  [...byId("labels").children].forEach((button, code) => button.setAttribute("aria-pressed", shown.labels.has(code)));
  const [kept, altered] = byId("kinds").children;
  kept.setAttribute("aria-pressed", shown.kept);
  altered.setAttribute("aria-pressed", shown.changed);
  drawMap();
}

// -- the selected line ---------------------------------------------------------------------------------------------------

function choose(index, scroll = true) {
  if (index < 0 || index >= rows.length) return;
  if (chosen >= 0) rowAt(chosen).setAttribute("aria-selected", "false");
  chosen = index;
  const row = rowAt(index);
  row.setAttribute("aria-selected", "true");
  byId("lines").setAttribute("aria-activedescendant", row.id);
  if (scroll) row.scrollIntoView({ block: "nearest" });
  drawWhy(rows[index].line);
  drawMap();
}

const rowAt = (index) => rows[index].item.firstChild;

function move(step, wanted = () => true) {
  for (let index = chosen + step; index >= 0 && index < rows.length; index += step) {
    if (!rows[index].item.hidden && wanted(rows[index].line)) return choose(index);
  }
}

function end(step) {
  const first = step > 0 ? 0 : rows.length - 1;
  for (let index = first; index >= 0 && index < rows.length; index += step) {
    if (!rows[index].item.hidden) return choose(index);
  }
}

function drawWhy(line) {
  const why = byId("why");
  hue(why, line.code);
  const versus = `${nameOf(line.code)} against ${nameOf(line.runner)}`;
  const guess = changed(line) ? `The first guess was ${nameOf(line.guess)}; context changed it to ${nameOf(line.code)}.` : "Same as the first guess.";
  why.replaceChildren(
    make("h2", "", `Line ${line.number}: `, make("span", "tag", nameOf(line.code)), ` ${percent(line.probability)}, ${line.kept ? "kept" : "dropped"}`),
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

// -- the minimap ---------------------------------------------------------------------------------------------------------

let due = 0;
function drawMap() {
  if (!due) due = requestAnimationFrame(paintMap);
}

function colours() {
  const probe = make("span", "");
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = { labels: data.labels.map(([name]) => read(name)), ink: read("ink"), focus: read("focus") };
  probe.remove();
  return found;
}

function paintMap() {
  due = 0;
  const map = byId("map");
  const ratio = window.devicePixelRatio || 1;
  const width = map.clientWidth;
  const height = map.clientHeight;
  map.width = width * ratio;
  map.height = height * ratio;
  const brush = map.getContext("2d");
  brush.scale(ratio, ratio);
  const list = byId("lines");
  const scale = Math.min(1, height / Math.max(1, list.offsetHeight));
  const top = list.offsetTop;
  const palette = colours();
  rows.forEach(({ line, item }, index) => {
    if (item.hidden) return;
    const y = (item.offsetTop - top) * scale;
    const tall = Math.max(1, item.offsetHeight * scale - 0.5);
    brush.globalAlpha = (line.kept ? 0.95 : 0.5) * (0.35 + 0.65 * line.probability);
    brush.fillStyle = palette.labels[line.code];
    brush.fillRect(4, y, Math.max(3, Math.min(1, line.text.length / 120) * (width - 12)), tall);
    if (index === chosen) {
      brush.globalAlpha = 1;
      brush.fillStyle = palette.focus;
      brush.fillRect(0, y - 1, 3, tall + 2);
    }
  });
  brush.globalAlpha = 0.1;
  brush.fillStyle = palette.ink;
  brush.fillRect(0, (window.scrollY + byHeader() - top) * scale, width, (window.innerHeight - byHeader()) * scale);
}

const byHeader = () => document.querySelector("header").offsetHeight;

function jump(event) {
  const list = byId("lines");
  const scale = Math.min(1, byId("map").clientHeight / Math.max(1, list.offsetHeight));
  const middle = (window.innerHeight + byHeader()) / 2;
  window.scrollTo(0, list.offsetTop + event.offsetY / scale - middle);
}

// -- keys and theme ------------------------------------------------------------------------------------------------------

function otherTheme() {
  flipTheme();
  drawMap();
}

const doubtful = (line) => line.probability < DOUBTFUL;
const ACTIONS = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  g: () => end(1), Home: () => end(1), G: () => end(-1), End: () => end(-1),
  n: () => move(1, doubtful), p: () => move(-1, doubtful),
  x: () => only("kept"), c: () => only("changed"), Escape: showAll, t: otherTheme,
  "?": () => byId("help").showModal(),
};
[...KEYS].forEach((key, code) => (ACTIONS[key] = () => flip(code)));

document.addEventListener("keydown", (event) => {
  const action = Object.hasOwn(ACTIONS, event.key) && ACTIONS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  event.preventDefault();
  action();
});
byId("theme").addEventListener("click", otherTheme);
byId("help-button").addEventListener("click", ACTIONS["?"]);
byId("map").addEventListener("pointerdown", (event) => {
  byId("map").setPointerCapture(event.pointerId);
  jump(event);
});
byId("map").addEventListener("pointermove", (event) => event.buttons && jump(event));
dark.addEventListener("change", drawMap);
window.addEventListener("resize", drawMap);
window.addEventListener("scroll", drawMap, { passive: true });

drawLines();
drawHead();
filter();
choose(Math.max(0, rows.findIndex(({ line }) => line.kept)), false);
