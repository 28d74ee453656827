// Shared by pages that list lines: filters, the map, and scrolling. The page's script defines what differs:
// rows ({line, item, row, gaps} of each non-blank line, in order; gaps are the blank lines before it), KINDS, codeOf, strength,
// isDoubtful, isSelected, current (index of the selected line, -1 if none), and choose(index).

function toggle(name, key, action) {
  const button = make("button", "", name, key ? make("kbd", "", key) : null);
  button.type = "button";
  if (key) button.setAttribute("aria-keyshortcuts", key);
  button.addEventListener("click", action);
  return button;
}

// -- filters -------------------------------------------------------------------------------------------------------------

const shown = new Set(data.labels.map((_, code) => code)); // labels
const only = new Set(); // indices of KINDS in force

function drawFilters(keys) {
  data.labels.forEach(([name, description], code) => {
    const button = toggle(name, keys ? KEYS[code] : "", () => flip(shown, code));
    button.insertBefore(make("span", "count number"), button.children[0] ?? null);
    button.title = description;
    hue(button, code);
    byId("labels").append(button);
  });
  byId("kinds").append(toggle("None", "", () => (shown.size < data.labels.length ? showAll() : showNone())));
  KINDS.forEach(({ name, key }, kind) => byId("kinds").append(toggle(name, key, () => flip(only, kind))));
}

function drawCounts() {
  const counts = data.labels.map(() => 0);
  rows.forEach((_, index) => (counts[codeOf(index)] += 1));
  for (const group of document.querySelectorAll(".counted")) {
    group.querySelectorAll(".count").forEach((count, code) => (count.textContent = String(counts[code])));
  }
}

function flip(set, member) {
  if (!set.delete(member)) set.add(member);
  filter();
}

function showAll() {
  data.labels.forEach((_, code) => shown.add(code));
  only.clear();
  filter();
}

function showNone() {
  shown.clear();
  filter();
}

// Labels given later do not hide a line until the filter changes again: it must not vanish under the user's hands.
function filter() {
  rows.forEach(({ item, gaps }, index) => {
    item.hidden = !shown.has(codeOf(index)) || ![...only].every((kind) => KINDS[kind].test(index));
    for (const gap of gaps) gap.hidden = item.hidden;
  });
  [...byId("labels").children].forEach((button, code) => button.setAttribute("aria-pressed", shown.has(code)));
  const [all, ...kinds] = byId("kinds").children;
  all.textContent = shown.size < data.labels.length ? "All" : "None";
  kinds.forEach((button, kind) => button.setAttribute("aria-pressed", only.has(kind)));
  byId("nothing").hidden = !rows.length || rows.some(({ item }) => !item.hidden);
  const nearest = current() < 0 ? -1 : visibleFrom(current(), 1) ?? visibleFrom(current(), -1) ?? -1;
  if (nearest >= 0) choose(nearest);
  drawMap();
}

function visibleFrom(index, step, wanted = () => true) {
  for (; index >= 0 && index < rows.length; index += step) if (!rows[index].item.hidden && wanted(index)) return index;
  return undefined;
}

// -- scrolling -----------------------------------------------------------------------------------------------------------

// Measures what covers lines: the header or the alarm while it stays on screen, and the panel while it is at the bottom of the screen.
function fit() {
  const height = (selector, position) => {
    const element = document.querySelector(selector);
    return element && getComputedStyle(element).position === position ? element.offsetHeight : 0;
  };
  const head = Math.max(height("header", "sticky"), height("#alarm", "fixed"));
  const foot = height("aside", "fixed");
  document.documentElement.style.setProperty("--head", head + "px");
  document.documentElement.style.setProperty("--foot", foot + "px");
  return [head, window.innerHeight - foot];
}

function reveal(row) {
  const [top, bottom] = fit();
  const box = row.getBoundingClientRect();
  if (box.top < top || box.bottom > bottom) row.scrollIntoView({ block: box.height < bottom - top ? "center" : "start" });
}

function follow(row) {
  fit();
  row.scrollIntoView({ block: "nearest" });
}

// -- the map -------------------------------------------------------------------------------------------------------------

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
  const found = { labels: data.labels.map(([name]) => read(name)), ink: read("ink"), focus: read("focus"), doubt: read("against") };
  probe.remove();
  return found;
}

const mapScale = () => Math.min(1, byId("map").clientHeight / Math.max(1, byId("lines").offsetHeight));

function paintMap() {
  due = 0;
  const map = byId("map");
  const ratio = window.devicePixelRatio || 1;
  const width = map.clientWidth;
  map.width = width * ratio;
  map.height = map.clientHeight * ratio;
  const brush = map.getContext("2d");
  brush.scale(ratio, ratio);
  const scale = mapScale();
  const top = byId("lines").offsetTop;
  const palette = colours();
  const block = (colour, alpha, ...box) => {
    brush.globalAlpha = alpha;
    brush.fillStyle = colour;
    brush.fillRect(...box);
  };
  rows.forEach(({ line, item }, index) => {
    if (item.hidden) return;
    const y = (item.offsetTop - top) * scale;
    const tall = Math.max(1, item.offsetHeight * scale - 0.5);
    block(palette.labels[codeOf(index)], strength(index), 4, y, Math.max(3, Math.min(1, line.text.length / 120) * (width - 16)), tall);
    if (isDoubtful(index)) block(palette.doubt, 1, width - 6, y, 6, Math.max(3, tall));
    if (isSelected(index)) block(palette.focus, 1, 0, y - 1, 3, tall + 2);
  });
  const [above, below] = fit();
  block(palette.ink, 0.1, 0, (window.scrollY + above - top) * scale, width, (below - above) * scale);
}

function jump(event) {
  const [above, below] = fit();
  window.scrollTo(0, byId("lines").offsetTop + event.offsetY / mapScale() - (above + below) / 2);
}

function otherTheme() {
  flipTheme();
  drawMap();
}

byId("map").addEventListener("pointerdown", (event) => {
  byId("map").setPointerCapture(event.pointerId);
  jump(event);
});
byId("map").addEventListener("pointermove", (event) => event.buttons && jump(event));
byId("theme").addEventListener("click", otherTheme);
dark.addEventListener("change", drawMap);
window.addEventListener("resize", drawMap);
window.addEventListener("scroll", drawMap, { passive: true });
history.scrollRestoration = "manual"; // a reloaded page selects its first line again
