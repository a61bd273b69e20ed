// State, words, numbers and what lies under the schools. Table text reaches the page only as textContent.

let data;  // the payload: see maps/payload.py
const state = { view: "proposal", stage: "all", when: 1, language: "zh", place: null, flow: null, at: 50 };
// Where a county is audited only these: nothing is planned yet.
const AUDITED = ["today", "minutes", "compliance"];
const VIEWS = ["today", "proposal", "swipe", "closures", "minutes", "change", "compliance", "teachers", "devices"];
const BLUE = "#0072b2", RED = "#c22d17", AMBER = "#d98200", GREEN = "#00804c", GREY = "#8a929e";
const TINTS = ["#e9dcc3", "#d3e0ea", "#dfe8cf", "#e8d7e2", "#ece5bd", "#d2e6e0", "#e6d5cf", "#dcdaec"];
const BANDS_MIN = [[15, "#e9f7f3"], [30, "#f0c24b"], [45, "#e57a24"], [Infinity, "#a3161f"]];  // the longer the darker, in grey too
const ADDED = [[-1, "#ffffff"], [1, "#b9c0ca"], [5, "#f3d36b"], [15, "#ef8a3c"], [Infinity, "#8e1a12"]];  // minutes added, up to
const PURPLE = "#3d2f78";
const SCALE = 1e5;
let map;

function say(key, fields) {
  const text = data.words[state.language][key];
  if (text === undefined) return null;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (fields && name in fields ? String(fields[name]) : whole));
}

// The word of an id such as a kind or a measure; an id the catalogue does not know is shown as it is.
function word(prefix, id) {
  return say(prefix + "_" + id) || id.replace(/_/g, " ");
}

// A place's name: as the tables have it, or in Latin letters on an English page.
function nameOf(place) {
  return state.language === "en" && place.latin ? place.latin : place.name;
}

function townOf(place) {
  return state.language === "en" && place.town_latin ? place.town_latin : place.town;
}

// Both, where they differ: an English page must still lead to the name on the school's gate.
function fullName(place) {
  const shown = nameOf(place);
  return shown === place.name ? shown : shown + " " + place.name;
}

function element(tag, options, children) {
  const node = document.createElement(tag);
  const { text, style, on, ...rest } = options || {};
  if (text !== undefined && text !== null) node.textContent = text;
  if (style) Object.assign(node.style, style);
  for (const [name, value] of Object.entries(rest)) if (value !== null) node.setAttribute(name, value);
  for (const [name, handler] of Object.entries(on || {})) node.addEventListener(name, handler);
  (children || []).forEach((child) => child && node.append(child));
  return node;
}

// ---- numbers -------------------------------------------------------------------------------------

function plain(value, digits) {
  if (value === null || value === undefined) return "–";
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function money(yuan) {
  return say("money", { amount: amount(yuan) });
}

// Money in the large unit of the county's currency: one decimal.
function amount(yuan) {
  return plain(yuan / data.head.large, 1);
}

function digitsOf(unit, numbers) {
  const known = numbers.filter((n) => n !== null).map(Math.abs);
  if (unit === "minutes") return 1;
  if (known.every((n) => Number.isInteger(n))) return 0;
  const most = Math.max(...known);
  return most < 1 ? 3 : most < 10 ? 2 : most < 1000 ? 1 : 0;
}

function quantity(value, unit, digits) {
  if (value === null) return "–";
  if (unit === "yuan") return amount(value);
  if (unit === "share") return plain(value * 100, 1) + "%";
  return plain(value, digits);
}

function round(value) {
  return value === null ? "–" : plain(Math.round(value), 0);
}

// ---- lines under the schools ---------------------------------------------------------------------

// Undo maps.background.deltas: whole 1e-5 degrees, first point then differences.
function unpack(flat) {
  const points = [];
  let x = 0, y = 0;
  for (let i = 0; i < flat.length; i += 2) {
    x += flat[i];
    y += flat[i + 1];
    points.push([y / SCALE, x / SCALE]);
  }
  return points;
}

const ROAD_STYLES = [
  [/^(motorway|trunk|primary|secondary)/, { color: "#b98f45", weight: 2.4, opacity: 0.95 }, 0],
  [/^(tertiary|unclassified|residential|living_street|road|service)/, { color: "#c4bcab", weight: 1.1, opacity: 1 }, 0],
  [/./, { color: "#d3ccbf", weight: 0.8, opacity: 1, dashArray: "3 3" }, 13],
];

function drawRoads(leaflet, renderer) {
  const still = { renderer, interactive: false, smoothFactor: 1.2 };
  const minor = [];
  const styled = Object.entries(data.roads).map(([name, lines]) => {
    const rank = ROAD_STYLES.findIndex(([pattern]) => pattern.test(name));
    return { rank, layer: L.polyline(lines.map(unpack), { ...still, ...ROAD_STYLES[rank][1] }) };
  });
  styled.sort((a, b) => b.rank - a.rank).forEach(({ rank, layer }) => (rank === 2 ? minor.push(layer) : layer.addTo(leaflet)));
  const byZoom = () => minor.forEach((l) => (leaflet.getZoom() >= ROAD_STYLES[2][2] ? l.addTo(leaflet) && l.bringToBack() : l.remove()));
  leaflet.on("zoomend", byZoom);
  byZoom();
}

function drawWaters(leaflet, renderer) {
  for (const water of data.waters) {
    const lines = water.lines.map(unpack);
    const style = { renderer, interactive: false, color: "#8db9dc" };
    if (water.area) L.polygon(lines, { ...style, weight: 1, fillColor: "#b5d3ea", fillOpacity: 0.9 }).addTo(leaflet);
    else L.polyline(lines, { ...style, weight: 3.2, opacity: 0.9 }).addTo(leaflet);
  }
}

function drawTownships(leaflet, renderer) {
  for (const town of data.townships) {
    L.polygon(town.lines.map(unpack), {
      renderer, interactive: false, color: "#6d7480", weight: 1.2, dashArray: "5 4", fill: false, opacity: 0.8,
    }).addTo(leaflet);
  }
  for (const line of data.border) {
    L.polyline(unpack(line), { renderer, interactive: false, color: "#3c434e", weight: 2.2, opacity: 0.95 }).addTo(leaflet);
  }
}

function startMap() {
  map = window.map_junheng;
  startSheets();
  fitCounty();
  drawGround(map);
  L.control.zoom({ position: "topright", zoomInTitle: "+", zoomOutTitle: "−" }).addTo(map);
  addCorner();
  if (data.head.osm) L.control.attribution({ prefix: false }).addAttribution("© OpenStreetMap contributors").addTo(map);
  L.control.scale({ imperial: false, position: "bottomright", maxWidth: 120 }).addTo(map);
}

// Everything that lies under the schools, on a canvas of its own.
function drawGround(leaflet) {
  const base = L.canvas({ pane: pane(leaflet, "base", 250), padding: 0.3 });
  drawWaters(leaflet, base);
  drawTownships(leaflet, base);
  drawRoads(leaflet, base);
}

// The whole county; where the enlarged seat stands in a corner, far enough from it and small enough that it hides no place.
function fitCounty() {
  const size = map.getSize(), box = seatBox(), edge = 26;
  const fit = (above, below) => {
    const beside = Math.max(edge, size.x - spanAt(size.y - 2 * edge - above - below) - edge);
    return viewOf(L.point(seatFits() ? Math.min(beside, box.width + 20) : edge, edge + above), L.point(edge, edge + below));
  };
  const lower = seatFits() ? [0, 0.06, 0.12, 0.18] : [0];
  const tries = [0, 0.05, 0.1].flatMap((above) => lower.map((below) => [above, below])).sort(([a, b], [c, d]) => a + b - c - d);
  const above = [...aboveMap(), ...(seatFits() ? [[0, size.y - box.height - 20, box.width + 24, size.y]] : [])];
  const hidden = (view) => [...data.schools, ...data.villages].map((p) => view.at(p.at)).filter((p) => above.some((b) => b[0] < p.x && p.x < b[2] && b[1] < p.y && p.y < b[3])).length;
  const views = tries.map(([top, bottom]) => fit(top * size.y, bottom * size.y));
  const best = views.find((view) => hidden(view) === 0) || views.reduce((a, b) => (hidden(b) < hidden(a) ? b : a));
  map.setView(best.center, best.zoom, { animate: false });
}

// How the county is seen between paddings left and above, right and below, and where a place would then be on the map.
function viewOf(first, second) {
  const zoom = map.getBoundsZoom(data.bounds, false, first.add(second)), size = map.getSize();
  const corners = data.bounds.map((at) => map.project(at, zoom));
  const middle = corners[0].add(corners[1]).divideBy(2).add(second.subtract(first).divideBy(2));
  return { center: map.unproject(middle, zoom), zoom, at: (place) => map.project(place, zoom).subtract(middle).add(size.divideBy(2)) };
}

// Buttons above the map, in its pixels, with room for half a symbol round them.
function aboveMap() {
  const base = map.getContainer().getBoundingClientRect(), room = 9;
  return [...document.querySelectorAll("#corner button, .leaflet-control-zoom")].map((node) => node.getBoundingClientRect()).filter((box) => box.width)
    .map((box) => [box.left - base.left - room, box.top - base.top - room, box.right - base.left + room, box.bottom - base.top + room]);
}

// Width in pixels that the county takes where it is so many pixels high.
function spanAt(height) {
  const corner = (i, j) => L.CRS.EPSG3857.project(L.latLng(data.bounds[i][0], data.bounds[j][1]));
  const low = corner(0, 0), high = corner(1, 1);
  return height * (high.x - low.x) / Math.max(high.y - low.y, 1);
}

// Buttons above the map: the whole county, and its seat where that is crowded.
function addCorner() {
  const control = L.control({ position: "topright" });
  control.onAdd = () => {
    const corner = element("div", { id: "corner" }, [
      element("button", { type: "button", class: "whole", id: "whole", on: { click: fitCounty } }),
      data.seat ? element("button", { type: "button", class: "whole", id: "to-seat", on: { click: fitSeat } }) : null]);
    L.DomEvent.disableClickPropagation(corner);
    return corner;
  };
  control.addTo(map);
}

// ---- what the filter leaves ----------------------------------------------------------------------

function unitsOf(school) {
  return school.units.filter((unit) => state.stage === "all" || unit.stage === state.stage);
}

function pupilsOf(school, when) {
  return unitsOf(school).reduce((sum, unit) => sum + (unit.pupils[when] || 0), 0);
}

// The number that is told: none where that of one of its units is not (fewer than five in the public edition).
function pupilsTold(school, when) {
  return unitsOf(school).some((unit) => unit.pupils[when] === null) ? null : pupilsOf(school, when);
}

function isOpen(school, when) {
  return unitsOf(school).some((unit) => unit.open[when]);
}

function groupsOf(village) {
  return village.groups.filter((group) => data.stages[state.stage].includes(group.band));
}

// The longest way of the village's own groups; those who by-pass their zone by choice are not counted.
function slowest(village, when) {
  const groups = groupsOf(village).filter((group) => group.zone && group.minutes[when] !== null);
  return groups.reduce((worst, group) => (!worst || group.minutes[when] > worst.minutes[when] ? group : worst), null);
}

// The most that the way of any of the village's own groups grows; null where none is known on both sides.
function addedTo(village) {
  return mostAdded(groupsOf(village).filter((g) => g.zone));
}

// The same for those who by-pass their school by choice.
function addedToChoosers(village) {
  return mostAdded(groupsOf(village).filter((g) => !g.zone));
}

function mostAdded(groups) {
  const steps = groups.filter((g) => g.minutes[0] !== null && g.minutes[1] !== null).map((g) => g.minutes[1] - g.minutes[0]);
  return steps.length ? Math.max(...steps) : null;
}

// Transfers between sites, of the stage chosen.
function movesShown() {
  return data.moves.filter((m) => m.from !== m.to && (state.stage === "all" || m.stage === state.stage));
}

// From which zone to which a teacher moves, as one key.
function zonesOf(move) {
  return data.schools[move.from].zone + ">" + data.schools[move.to].zone;
}

// Teachers who come less teachers who leave by transfer, and those hired, at a school.
function teachersAt(school) {
  const index = data.schools.indexOf(school), shown = movesShown();
  const sum = (end) => shown.filter((m) => m[end] === index).reduce((n, m) => n + m.heads, 0);
  return { into: sum("to"), out: sum("from") };
}

function bandOf(minutes) {
  return BANDS_MIN.findIndex(([limit]) => minutes <= limit);
}

// Which school a village's area is tinted for: the lowest band of the chosen stage.
function tintSchool(village, when) {
  for (const band of data.stages[state.stage]) {
    const group = village.groups.find((g) => g.zone && g.band === band && g.to[when] >= 0);
    if (group) return group.to[when];
  }
  return -1;
}

// Neighbouring attendance areas get different tints: greedy, in order of the schools.
function tints(when) {
  const school = data.villages.map((village) => tintSchool(village, when));
  const near = new Map();
  for (const [a, b] of data.neighbours) {
    const [s, t] = [school[a], school[b]];
    if (s < 0 || t < 0 || s === t) continue;
    near.set(s, (near.get(s) || new Set()).add(t));
    near.set(t, (near.get(t) || new Set()).add(s));
  }
  const tint = new Map();
  [...new Set(school)].filter((s) => s >= 0).sort((a, b) => a - b).forEach((s) => {
    const taken = new Set([...(near.get(s) || [])].map((t) => tint.get(t)));
    const free = TINTS.findIndex((_, i) => !taken.has((i + s) % TINTS.length));
    tint.set(s, (Math.max(free, 0) + s) % TINTS.length);
  });
  return school.map((s) => (s < 0 ? null : TINTS[tint.get(s)]));
}
