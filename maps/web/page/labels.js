// Flows with a minimum length, and names that keep out of each other's way, on the current sheet.

function flowsShown(view) {
  const pairs = new Map();
  if (view === "teachers") {
    for (const move of movesShown()) {
      if (state.flow && state.flow !== zonesOf(move)) continue;
      const key = move.from + ">" + move.to;
      const pair = pairs.get(key) || { from: move.from, to: move.to, pupils: 0, closed: true };
      pairs.set(key, { ...pair, pupils: pair.pupils + move.heads });
    }
    return [...pairs.values()].sort((a, b) => a.pupils - b.pupils);
  }
  for (const flow of data.flows) {
    if (!data.stages[state.stage].includes(flow.band) || flow.from === flow.to) continue;
    const key = flow.from + ">" + flow.to;
    const pair = pairs.get(key) || { from: flow.from, to: flow.to, pupils: 0, closed: false };
    pairs.set(key, { ...pair, pupils: pair.pupils + flow.pupils, closed: pair.closed || flow.closed });
  }
  return [...pairs.values()].sort((a, b) => a.pupils - b.pupils);
}

// Points of a bow from a to b in pixels; the closer the ends, the rounder the bow, so that an arrow of
// neighbours is still long enough to be seen with its number.
function bow(a, b) {
  const d = Math.hypot(b.x - a.x, b.y - a.y);
  const [ux, uy] = d > 1 ? [(b.x - a.x) / d, (b.y - a.y) / d] : [1, 0];
  const bulge = Math.max(0.1 * d, 0.7 * (84 - d));
  const side = bulge * 4 / 3, along = d / 3 - Math.max(0, 0.5 * (60 - d));  // ends almost in one place: a loop
  const c = [a.x + along * ux + side * uy, a.y + along * uy - side * ux];
  const e = [b.x - along * ux + side * uy, b.y - along * uy - side * ux];
  const points = [];
  for (let i = 0; i <= 60; i += 1) {
    const t = i / 60, s = 1 - t, k = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
    points.push(L.point(k[0] * a.x + k[1] * c[0] + k[2] * e[0] + k[3] * b.x, k[0] * a.y + k[1] * c[1] + k[2] * e[1] + k[3] * b.y));
  }
  const clear = points.filter((p) => p.distanceTo(a) > 11 && p.distanceTo(b) > 13);
  const outward = L.point(uy, -ux).multiplyBy(d < 110 ? 13 : 0);
  return { points: clear.length > 3 ? clear : points, outward };
}

// The head's three corners and the middle of its foot, where the shaft ends.
function arrowHead(points, width) {
  const tip = points[points.length - 1], back = points[Math.max(0, points.length - 5)];
  const d = Math.max(tip.distanceTo(back), 0.1), size = 7 + width;
  const [ux, uy] = [(tip.x - back.x) / d, (tip.y - back.y) / d];
  const foot = L.point(tip.x - ux * size, tip.y - uy * size);
  const corners = [tip, L.point(foot.x - uy * size * 0.55, foot.y + ux * size * 0.55), L.point(foot.x + uy * size * 0.55, foot.y - ux * size * 0.55)];
  return { corners, foot };
}

// A path given in pixels of the present zoom: Leaflet's own would be rounded to whole pixels and look torn.
const PixelPath = L.Polyline.extend({
  _updatePath() { this._renderer._setPath(this, this.options.d); },
});

function pathOf(points) {
  return "M" + points.map((p) => `${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join("L");
}

const CROWD = 40, NEAR = 12;

// ``marks``: boxes of the symbols, which the numbers of flows keep off where they can.
function drawFlows(marks) {
  sheet.flows.clearLayers();
  sheet.arrows = [];
  if (!["closures", "teachers"].includes(sheet.view)) return [];
  const shown = flowsShown(sheet.view).filter((f) => inHere([data.schools[f.from].at, data.schools[f.to].at]));
  const most = Math.max(...shown.map((f) => f.pupils), 1);
  const taken = [];
  for (const flow of shown) {
    const { points, outward } = bow(sheet.map.latLngToLayerPoint(data.schools[flow.from].at), sheet.map.latLngToLayerPoint(data.schools[flow.to].at));
    const staff = sheet.view === "teachers";
    const width = staff ? 1 + Math.min(3, 0.6 * flow.pupils) : flow.closed ? 2 + 4 * Math.sqrt(flow.pupils / most) : 1.4;
    const color = staff ? PURPLE : flow.closed ? RED : "#55606f";
    const { corners, foot } = arrowHead(points, width);
    const shaft = [...points.filter((p) => p.distanceTo(corners[0]) > 8 + width), foot];
    const still = { renderer: sheet.flowRenderer, interactive: false, color, opacity: 0.9 };
    const ends = [data.schools[flow.from].at, data.schools[flow.to].at];
    new PixelPath(ends, { ...still, weight: width, dashArray: flow.closed ? null : "4 4", d: pathOf(shaft) }).addTo(sheet.flows);
    new PixelPath(ends, { ...still, weight: 1, fill: true, fillColor: color, fillOpacity: 1, d: pathOf(corners) + "Z" }).addTo(sheet.flows);
    sheet.arrows.push(...points.map((p) => [p.x - 3, p.y - 3, p.x + 3, p.y + 3]));
    if (staff && flow.pupils === 1 && shown.length > CROWD && sheet.map.getZoom() < NEAR) continue;  // single moves are told where there is room
    const text = plain(flow.pupils, 0), wide = 14 + 7.5 * text.length;
    const box = (p) => [p.x - wide / 2, p.y - 9, p.x + wide / 2, p.y + 9];
    const spot = spotOf(points, outward, box, taken, marks);
    taken.push(box(spot));
    const icon = L.divIcon({ className: "bubble" + (staff ? " staff" : flow.closed ? "" : " shift"), html: element("span", { text }), iconSize: [0, 0] });
    L.marker(sheet.map.layerPointToLatLng(spot), { icon, interactive: false, keyboard: false, pane: sheet.pane.bubbles }).addTo(sheet.flows);
  }
  return taken;
}

// Where the number of a flow hides least: along its arrow, then beside it. Another number hidden is worse than a symbol.
function spotOf(points, outward, box, taken, marks) {
  const [a, b] = [points[0], points[points.length - 1]], d = Math.max(a.distanceTo(b), 1);
  const side = L.point((b.y - a.y) / d, (a.x - b.x) / d);
  const along = [0.5, 0.42, 0.6, 0.33, 0.68, 0.24, 0.78].map((t) => points[Math.floor(t * (points.length - 1))].add(outward));
  const spots = [0, 18, -18, 36, -36].flatMap((off) => along.map((p) => p.add(side.multiplyBy(off))));
  const cost = (p) => 3 * overlap(box(p), taken) + overlap(box(p), marks);
  return spots.find((p) => cost(p) === 0) || spots.reduce((best, p) => (cost(p) < cost(best) ? p : best));
}

// ---- names ---------------------------------------------------------------------------------------

const ruler = document.createElement("canvas").getContext("2d");

function overlap(box, boxes) {
  let area = 0;
  for (const b of boxes) {
    const w = Math.min(box[2], b[2]) - Math.max(box[0], b[0]), h = Math.min(box[3], b[3]) - Math.max(box[1], b[1]);
    if (w > 0 && h > 0) area += w * h;
  }
  return area;
}

function townNames() {
  if (data.townships.some((t) => t.name)) return data.townships.map((t) => ({ at: t.at, text: nameOf(t), size: 0, rank: 1.5, tone: "town", weight: 1 }));
  const places = new Map();
  for (const v of data.villages) places.set(townOf(v), [...(places.get(townOf(v)) || []), v.at]);
  const mean = (at, i) => at.reduce((sum, p) => sum + p[i], 0) / at.length;
  return [...places].map(([text, at]) => ({ at: [mean(at, 0), mean(at, 1)], text, size: 0, rank: 1.5, tone: "town", weight: 1 }));
}

function boxesFor(name, p, width) {
  const r = name.size / 2 + 2, h = name.note ? 31 : 16;
  if (name.tone === "town") return [0, -26, 26, -48, 48].map((dy) => [p.x - width / 2, p.y - 8 + dy, p.x + width / 2, p.y + 8 + dy]);
  return [
    [p.x + r, p.y - h / 2, p.x + r + width, p.y + h / 2], [p.x - r - width, p.y - h / 2, p.x - r, p.y + h / 2],
    [p.x - width / 2, p.y + r, p.x + width / 2, p.y + r + h], [p.x - width / 2, p.y - r - h, p.x + width / 2, p.y - r],
    [p.x + r - 2, p.y + r - 4, p.x + r + width, p.y + r - 4 + h], [p.x + r - 2, p.y - r + 4 - h, p.x + r + width, p.y - r + 4],
    [p.x - r - width, p.y + r - 4, p.x - r + 2, p.y + r - 4 + h], [p.x - r - width, p.y - r + 4 - h, p.x - r + 2, p.y - r + 4],
  ];
}

// A box moved sideways until its left side, and its right side if there is room, lies between two edges.
function pushedInside(box, left, right) {
  const step = Math.max(left - box[0], Math.min(0, right - box[2]));
  return [box[0] + step, box[1], box[2] + step, box[3]];
}

// Boxes farther away, all round: a line leads from the name to its symbol.
function boxesAway(name, p, width) {
  const h = name.note ? 31 : 16, boxes = [];
  for (const away of [12, 24, 38]) {
    for (let k = 0; k < 12; k += 1) {
      const [x, y] = [Math.cos(k * Math.PI / 6), Math.sin(k * Math.PI / 6)], r = name.size / 2 + away;
      const [cx, cy] = [p.x + x * (r + width / 2), p.y + y * (r + h / 2)];
      boxes.push([cx - width / 2, cy - h / 2, cx + width / 2, cy + h / 2]);
    }
  }
  return boxes;
}

// What lies above the map, in its pixels: buttons, scale, the enlarged seat, the sides of the comparison.
function controlBoxes() {
  const container = sheet.map.getContainer(), base = container.getBoundingClientRect(), corner = sheet.map.containerPointToLayerPoint([0, 0]);
  const above = sheet === sheets.seat ? "#seat figcaption" : "#corner button, .leaflet-control-zoom, .leaflet-control-scale, .leaflet-control-attribution, #seat, #swipe .side, #swipe .grip";
  return [...document.querySelectorAll(above)].map((node) => node.getBoundingClientRect()).filter((box) => box.width)
    .map((box) => [box.left - base.left + corner.x - 3, box.top - base.top + corner.y - 3, box.right - base.left + corner.x + 3, box.bottom - base.top + corner.y + 3]);
}

function widthOf(name, family) {
  ruler.font = (name.tone ? "700 " : "") + (name.tone === "town" ? "14px " : "12.5px ") + family;
  const text = ruler.measureText(name.text).width + (name.tone === "town" ? 2 * name.text.length : 1);
  ruler.font = "12px " + family;
  return Math.max(text, name.note ? ruler.measureText(name.note.text).width + 38 : 0);
}

// The most important names first; a name that finds no free side is left out, unless it is one the view
// is about: that one takes the side where it hides least, symbols and buttons least of all.
function drawNames() {
  sheet.names.clearLayers();
  sheet.told = [];
  const marks = sheet.named.map((name) => {
    const p = sheet.map.latLngToLayerPoint(name.at), r = name.size / 2;
    return [p.x - r, p.y - r, p.x + r, p.y + r];
  });
  const taken = [...drawFlows(marks), ...sheet.arrows], hard = [...marks, ...controlBoxes()];
  const family = getComputedStyle(document.body).fontFamily;
  const seen = sheet.map.getPixelBounds().getSize(), corner = sheet.map.containerPointToLayerPoint([0, 0]);
  const within = (b) => b[0] > corner.x && b[2] < corner.x + seen.x && b[1] > corner.y && b[3] < corner.y + seen.y;
  const names = [...sheet.named, ...townNames()].filter((name) => inHere([name.at])).sort((a, b) => a.rank - b.rank || b.weight - a.weight);
  const cost = (b) => overlap(b, taken) + 5 * overlap(b, hard);
  for (const name of names) {
    const p = sheet.map.latLngToLayerPoint(name.at), width = widthOf(name, family);
    if (p.x < corner.x || p.y < corner.y || p.x > corner.x + seen.x || p.y > corner.y + seen.y || width > 260) continue;
    const must = name.rank === 0 || (name.note && sheet === sheets.seat), all = boxesFor(name, p, width);
    const near = all.filter(within), away = must || (name.school && sheet === sheets.seat) ? boxesAway(name, p, width).filter(within) : [];
    const boxes = near.length + away.length || !must ? [...near, ...away] : all.map((b) => pushedInside(b, corner.x + 3, corner.x + seen.x - 3));
    const best = boxes.find((b) => cost(b) === 0) || (must && boxes.reduce((a, b) => (cost(b) < cost(a) ? b : a)));
    if (!best) continue;
    taken.push(best);
    placeName(name, best, p);
    if (away.includes(best)) leadTo(best, p, name);
  }
  hideCutNames();
}

// A name left of its symbol ends there, one right of it begins there.
function placeName(name, box, p) {
  const left = box[2] <= p.x;
  const html = element("span", { class: ["name", name.tone || "", left ? "left" : ""].join(" ").trim() }, [document.createTextNode(name.text),
    name.note && element("span", { class: "places" }, [gauge(name.note.share, name.note.full), document.createTextNode(name.note.text)])]);
  const icon = L.divIcon({ className: "mark", html, iconSize: [0, 0], iconAnchor: [0, 0] });
  const marker = L.marker(sheet.map.layerPointToLatLng([box[left ? 2 : 0], box[1]]), { icon, interactive: false, keyboard: false, pane: sheet.pane.names }).addTo(sheet.names);
  sheet.told.push({ node: marker.getElement(), left: box[0], right: box[2] });
}

function leadTo(box, p, name) {
  const to = L.point(Math.min(Math.max(p.x, box[0]), box[2]), Math.min(Math.max(p.y, box[1]), box[3])), d = Math.max(p.distanceTo(to), 1);
  const from = p.add(to.subtract(p).multiplyBy(Math.min(1, name.size / 2 / d)));
  new PixelPath([name.at, name.at], { renderer: sheet.flowRenderer, interactive: false, color: "#3e4a5c", weight: 1, d: pathOf([from, to]) }).addTo(sheet.names);
}

// A name that the line between today and the plan would cut is shown on neither side.
function hideCutNames() {
  const compared = state.view === "swipe", cut = map.containerPointToLayerPoint([0, 0]).x + map.getSize().x * state.at / 100;
  for (const one of [sheets.main, sheets.before]) {
    for (const name of (one && one.told) || []) name.node.style.visibility = compared && name.left < cut && cut < name.right ? "hidden" : "";
  }
}

function drawSheet() {
  for (const name of GROUPS) sheet[name].clearLayers();
  drawCells();
  drawLinks();
  sheet.named = [...drawVillages(), ...drawSchools()];
  drawNames();
}
