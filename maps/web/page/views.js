// The views: symbols, links, flows with a minimum length, and names that keep out of each other's way.

const SHAPES = {
  circle: '<circle cx="12" cy="12" r="10.5"/>',
  diamond: '<path d="M12 1 23 12 12 23 1 12Z"/>',
  square: '<rect x="2" y="2" width="20" height="20"/>',
  hexagon: '<path d="M6.5 2h11L23 12l-5.5 10h-11L1 12Z"/>',
  triangle: '<path d="M12 1.5 23.5 22H.5Z"/>',
};
const SIGNS = {
  plus: '<path d="M12 6.5v11M6.5 12h11" stroke="#fff" stroke-width="3" fill="none"/>',
  minus: '<path d="M12 6v9m-5-4 5 6 5-6" stroke="#111" stroke-width="2.4" fill="none"/>',
  check: '<path d="m6.5 12.5 4 4 7-8.5" stroke="#fff" stroke-width="3" fill="none"/>',
};
const CROSS = '<path d="M3 3 21 21M21 3 3 21" stroke="#fff" stroke-width="8"/><path d="M3 3 21 21M21 3 3 21" stroke="#c22d17" stroke-width="4.4"/>';

function shapeOf(kind) {
  if (kind === "point") return "diamond";
  if (/junior/.test(kind)) return "square";
  return /nine|twelve|complete/.test(kind) ? "hexagon" : "circle";
}

// Markup made of our own constants and numbers only: no table text ever comes here.
function symbol(size, shape, fill, options) {
  const { sign, number, edge, closed, net } = options || {};
  const mark = net !== undefined ? `<text x="12" y="16.2" text-anchor="middle" font-size="11" font-weight="700" fill="${net > 0 ? "#fff" : "#111"}">${net > 0 ? "+" : net < 0 ? "−" : ""}${Math.abs(Number(net))}</text>` : number === undefined ? SIGNS[sign] || "" :
    `<text x="12" y="${shape === "triangle" ? 19.5 : 17}" text-anchor="middle" font-size="14" font-weight="700" fill="${shape === "triangle" ? "#111" : "#fff"}">${Number(number)}</text>`;
  const body = closed ? CROSS : `<g fill="${fill}" stroke="${edge || "#fff"}" stroke-width="${edge ? 2.4 : 1.6}">${SHAPES[shape]}</g>${mark}`;
  const holder = document.createElement("div");
  holder.innerHTML = `<svg viewBox="0 0 24 24" width="${size}" height="${size}" aria-hidden="true">${body}</svg>`;
  return holder.firstChild;
}

function sizeOf(school, when) {
  const most = Math.max(...data.schools.map((s) => pupilsOf(s, when)), 1);
  return 9 + 21 * Math.sqrt(pupilsOf(school, when) / most);
}

function overCapacity(school, when) {
  return unitsOf(school).some((unit) => unit.capacity !== null && unit.pupils[when] > unit.capacity);
}

// The worst assessed unit of a school: how many indicators it misses; null where none is assessed.
function verdictOf(school, when) {
  const units = unitsOf(school).filter((u) => u.open[when] && u.passes[when] !== null);
  if (!units.length) return null;
  const missed = (unit) => unit.indicators.filter((i) => i.met[when] === false).length;
  return { passes: units.every((unit) => unit.passes[when]), missed: Math.max(...units.map(missed)) };
}

function lookToday(school, when) {
  if (!isOpen(school, when)) return null;
  const edge = overCapacity(school, when) ? "#e08a00" : null;
  return { size: sizeOf(school, when), shape: shapeOf(school.kind), fill: BLUE, edge, rank: 2 };
}

function lookProposal(school) {
  if (!isOpen(school, 0) && !isOpen(school, 1)) return null;
  if (!isOpen(school, 1)) return { size: 17, closed: true, rank: 0, tone: "strong" };
  const look = lookToday(school, 1);
  if (school.action === "reduce") return { ...look, size: Math.max(look.size, 17), fill: "#f2b134", sign: "minus", rank: 1, tone: "amber" };
  if (school.action === "receive") return { ...look, size: Math.max(look.size, 17), fill: GREEN, sign: "plus", rank: 1 };
  return look;
}

function lookClosures(school) {
  const look = lookProposal(school);
  return look && look.rank === 2 ? { ...look, size: 9, edge: null } : look && { ...look, size: Math.min(look.size, 20) };
}

function lookMinutes(school) {
  return isOpen(school, state.when) ? { size: 12, shape: shapeOf(school.kind), fill: "#2d3a4d", rank: 3 } : null;
}

function lookCompliance(school) {
  if (!isOpen(school, state.when)) return null;
  const verdict = verdictOf(school, state.when);
  if (!verdict) return { size: 9, shape: shapeOf(school.kind), fill: GREY, rank: 4 };
  if (verdict.passes) return { size: 18, shape: "circle", fill: GREEN, sign: "check", rank: 3 };
  if (verdict.missed <= 2) return { size: 21, shape: "triangle", fill: "#f3b61f", edge: "#111", number: verdict.missed, rank: 2 };
  return { size: 20, shape: "square", fill: "#b3261e", edge: "#111", number: verdict.missed, rank: 1, tone: "strong" };
}

// Dark gains, white loses: apart without colour.
function lookTeachers(school) {
  if (!isOpen(school, 0) && !isOpen(school, 1)) return null;
  const { into, out } = teachersAt(school);
  if (!into && !out) return isOpen(school, 1) ? { size: 8, shape: shapeOf(school.kind), fill: GREY, rank: 4 } : { size: 17, closed: true, rank: 1, tone: "strong" };
  const net = into - out;
  return { size: 23, shape: "circle", fill: net > 0 ? PURPLE : net < 0 ? "#fff" : "#cfd3da", edge: "#222", net, rank: 1 };
}

function lookDevices(school) {
  if (!isOpen(school, 1)) return null;
  if (!school.bought.length) return { size: 8, shape: shapeOf(school.kind), fill: GREY, rank: 4 };
  return { size: 21, shape: "square", fill: BLUE, edge: "#111", number: school.bought.length, rank: 1 };
}

const LOOKS = {
  today: (school) => lookToday(school, 0), proposal: lookProposal, closures: lookClosures,
  minutes: lookMinutes, change: (school) => (isOpen(school, 1) ? { size: 11, shape: shapeOf(school.kind), fill: "#2d3a4d", rank: 3 } : null),
  compliance: lookCompliance, teachers: lookTeachers, devices: lookDevices,
};

function lookOf(school) {
  if (school.units.length) return LOOKS[state.view](school);
  return state.view === "today" && state.stage === "all" ? { size: 9, shape: shapeOf(school.kind), fill: GREY, rank: 4 } : null;
}

function drawSchools() {
  const seen = [];
  for (const school of data.schools) {
    const look = lookOf(school);
    if (!look) continue;
    const icon = L.divIcon({ className: "mark", html: symbol(look.size, look.shape, look.fill, look), iconSize: [look.size, look.size] });
    const marker = L.marker(school.at, { icon, title: fullName(school), alt: fullName(school), riseOnHover: true, zIndexOffset: 1000 * (5 - look.rank) });
    marker.on("click", () => openSchool(school)).addTo(layers.schools);
    seen.push({ at: school.at, text: nameOf(school), size: look.size, rank: look.rank, tone: look.tone, weight: pupilsOf(school, 1) + pupilsOf(school, 0) });
  }
  return seen;
}

// ---- villages ------------------------------------------------------------------------------------

function drawVillages() {
  const seen = [];
  for (const village of data.villages) {
    if (state.view === "change") {
      seen.push(...drawChange(village));
      continue;
    }
    if (state.view === "minutes") {
      seen.push(...drawMinutes(village));
      continue;
    }
    L.circleMarker(village.at, { renderer: layers.villageRenderer, radius: 2.4, weight: 0.8, color: "#fff", fillColor: "#2a2a2a", fillOpacity: 1 })
      .on("click", () => openVillage(village)).addTo(layers.villages);
  }
  return seen;
}

// Larger and darker the more minutes are added; a triangle where the way becomes shorter.
function drawChange(village) {
  if (!groupsOf(village).some((g) => g.zone)) return [];
  const added = addedTo(village);
  if (added === null) return drawUnknown(village);
  const band = ADDED.findIndex(([limit]) => added <= limit);
  const size = [13, 8, 13, 16, 20][band];
  const html = symbol(size, band === 0 ? "triangle" : band === 1 ? "circle" : "square", ADDED[band][1], { edge: "#222" });
  L.marker(village.at, { icon: L.divIcon({ className: "mark", html, iconSize: [size, size] }), title: fullName(village), alt: fullName(village), zIndexOffset: 500 * band })
    .on("click", () => openVillage(village)).addTo(layers.villages);
  return band < 2 ? [] : [{ at: village.at, text: `${nameOf(village)} +${round(added)}′`, size, rank: 0.5, tone: band > 2 ? "strong" : "amber", weight: added }];
}

function drawMinutes(village) {
  const group = slowest(village, state.when);
  if (!group) return drawUnknown(village);
  const band = bandOf(group.minutes[state.when]);
  const over = groupsOf(village).some((g) => g.zone && g.over[state.when]);
  const kept = over && (state.when === 0 || groupsOf(village).every((g) => !g.zone || !g.over[1] || g.kept));
  const size = 11 + 2 * band;
  const html = element("span", { class: "dot" + (over ? (kept ? " kept" : " over") : ""), style: { width: size + "px", height: size + "px", backgroundColor: BANDS_MIN[band][1] } });
  const icon = L.divIcon({ className: "mark", html, iconSize: [size, size] });
  L.marker(village.at, { icon, title: fullName(village), alt: fullName(village), zIndexOffset: 100 * band + (over ? 3000 : 0) })
    .on("click", () => openVillage(village)).addTo(layers.villages);
  const text = over ? `${nameOf(village)} ${round(group.minutes[state.when])}′` : nameOf(village);
  return [{ at: village.at, text, size, rank: over ? (kept ? 0.5 : 0) : band >= 2 ? 1 : 5, tone: over ? (kept ? "amber" : "strong") : "", weight: group.minutes[state.when] }];
}

// A village whose pupils have no known time is shown as such, not left out.
function drawUnknown(village) {
  if (!groupsOf(village).some((g) => g.zone)) return [];
  const html = element("span", { class: "dot unknown", style: { width: "13px", height: "13px" } });
  L.marker(village.at, { icon: L.divIcon({ className: "mark", html, iconSize: [13, 13] }), title: fullName(village), alt: fullName(village), zIndexOffset: 2500 })
    .on("click", () => openVillage(village)).addTo(layers.villages);
  return [{ at: village.at, text: nameOf(village) + " " + say("unknown_minutes"), size: 13, rank: 0, tone: "strong", weight: 0 }];
}

function drawCells() {
  const when = state.view === "today" ? 0 : ["minutes", "compliance"].includes(state.view) ? state.when : 1;
  if (["change", "teachers", "devices"].includes(state.view)) return;
  const tint = state.view === "minutes" ? null : tints(when);
  data.villages.forEach((village, i) => {
    const group = slowest(village, when);
    const fill = tint ? tint[i] : group && BANDS_MIN[bandOf(group.minutes[when])][1];
    if (!fill || !village.cell.length || state.view === "closures") return;
    L.polygon(village.cell.map(unpack), {
      renderer: layers.cellRenderer, interactive: false, color: fill, weight: 1, opacity: tint ? 1 : 0.25, fillColor: fill, fillOpacity: tint ? 1 : 0.25, smoothFactor: 0.2,
    }).addTo(layers.cells);
  });
}

function drawLinks() {
  if (!["today", "proposal"].includes(state.view)) return;
  const when = state.view === "today" ? 0 : 1;
  for (const village of data.villages) {
    const targets = new Set(groupsOf(village).filter((g) => g.zone && g.to[when] >= 0).map((g) => g.to[when]));
    for (const target of targets) {
      L.polyline([village.at, data.schools[target].at], { renderer: layers.linkRenderer, interactive: false, color: "#4a5a6e", weight: 0.9, opacity: 0.7 }).addTo(layers.links);
    }
  }
}

// ---- flows ---------------------------------------------------------------------------------------

function flowsShown() {
  const pairs = new Map();
  if (state.view === "teachers") {
    for (const move of data.moves) {
      if (move.from === move.to || (state.stage !== "all" && move.stage !== state.stage)) continue;
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

function drawFlows() {
  layers.flows.clearLayers();
  layers.arrows = [];
  if (!["closures", "teachers"].includes(state.view)) return [];
  const shown = flowsShown();
  const most = Math.max(...shown.map((f) => f.pupils), 1);
  const taken = [];
  for (const flow of shown) {
    const { points, outward } = bow(map.latLngToLayerPoint(data.schools[flow.from].at), map.latLngToLayerPoint(data.schools[flow.to].at));
    const staff = state.view === "teachers";
    const width = staff ? 1 + Math.min(3, 0.6 * flow.pupils) : flow.closed ? 2 + 4 * Math.sqrt(flow.pupils / most) : 1.4;
    const color = state.view === "teachers" ? PURPLE : flow.closed ? RED : "#55606f";
    const { corners, foot } = arrowHead(points, width);
    const shaft = [...points.filter((p) => p.distanceTo(corners[0]) > 8 + width), foot];
    const still = { renderer: layers.flowRenderer, interactive: false, color, opacity: 0.9 };
    const ends = [data.schools[flow.from].at, data.schools[flow.to].at];
    new PixelPath(ends, { ...still, weight: width, dashArray: flow.closed ? null : "4 4", d: pathOf(shaft) }).addTo(layers.flows);
    new PixelPath(ends, { ...still, weight: 1, fill: true, fillColor: color, fillOpacity: 1, d: pathOf(corners) + "Z" }).addTo(layers.flows);
    layers.arrows.push(...points.map((p) => [p.x - 3, p.y - 3, p.x + 3, p.y + 3]));
    if (staff && flow.pupils === 1 && shown.length > CROWD && map.getZoom() < NEAR) continue;  // single moves are told where there is room
    const text = plain(flow.pupils, 0), wide = 14 + 7.5 * text.length;
    const box = (p) => [p.x - wide / 2, p.y - 9, p.x + wide / 2, p.y + 9];
    const spots = [0.5, 0.42, 0.6, 0.33, 0.68, 0.24, 0.78].map((t) => points[Math.floor(t * (points.length - 1))].add(outward));
    const spot = spots.reduce((best, p) => (overlap(box(p), taken) < overlap(box(best), taken) ? p : best));
    taken.push(box(spot));
    const icon = L.divIcon({ className: "bubble" + (state.view === "teachers" ? " staff" : flow.closed ? "" : " shift"), html: element("span", { text }), iconSize: [0, 0] });
    L.marker(map.layerPointToLatLng(spot), { icon, interactive: false, keyboard: false, pane: "bubbles" }).addTo(layers.flows);
  }
  return taken;
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
  const r = name.size / 2 + 2;
  if (name.tone === "town") return [0, -26, 26, -48, 48].map((dy) => [p.x - width / 2, p.y - 8 + dy, p.x + width / 2, p.y + 8 + dy]);
  return [
    [p.x + r, p.y - 8, p.x + r + width, p.y + 8], [p.x - r - width, p.y - 8, p.x - r, p.y + 8],
    [p.x - width / 2, p.y + r, p.x + width / 2, p.y + r + 16], [p.x - width / 2, p.y - r - 16, p.x + width / 2, p.y - r],
    [p.x + r - 2, p.y + r - 4, p.x + r + width, p.y + r + 12], [p.x + r - 2, p.y - r - 12, p.x + r + width, p.y - r + 4],
    [p.x - r - width, p.y + r - 4, p.x - r + 2, p.y + r + 12], [p.x - r - width, p.y - r - 12, p.x - r + 2, p.y - r + 4],
  ];
}

// The most important names first; a name that finds no free side is left out, unless it is one the view
// is about: that one takes the side where it hides least.
function drawNames() {
  layers.names.clearLayers();
  const bubbles = drawFlows();
  const family = getComputedStyle(document.body).fontFamily;
  const seen = map.getPixelBounds().getSize(), corner = map.containerPointToLayerPoint([0, 0]);
  const names = [...layers.named, ...townNames()].sort((a, b) => a.rank - b.rank || b.weight - a.weight);
  const taken = [...bubbles, ...layers.arrows];
  for (const name of layers.named) {
    const p = map.latLngToLayerPoint(name.at), r = name.size / 2;
    taken.push([p.x - r, p.y - r, p.x + r, p.y + r]);
  }
  for (const name of names) {
    const p = map.latLngToLayerPoint(name.at);
    if (p.x < corner.x || p.y < corner.y || p.x > corner.x + seen.x || p.y > corner.y + seen.y) continue;
    ruler.font = (name.tone ? "700 " : "") + (name.tone === "town" ? "14px " : "12.5px ") + family;
    const width = ruler.measureText(name.text).width + (name.tone === "town" ? 2 * name.text.length : 1);
    if (width > 260) continue;
    const boxes = boxesFor(name, p, width).filter((b) => b[0] > corner.x && b[2] < corner.x + seen.x);
    const must = name.rank === 0;
    const best = boxes.find((b) => overlap(b, taken) === 0) || (must && boxes.sort((a, b) => overlap(a, taken) - overlap(b, taken))[0]);
    if (!best) continue;
    taken.push(best);
    const html = element("span", { class: "name " + (name.tone || ""), text: name.text });
    L.marker(map.layerPointToLatLng([best[0], best[1]]), { icon: L.divIcon({ className: "mark", html, iconSize: [0, 0], iconAnchor: [0, 0] }), interactive: false, keyboard: false, pane: "names" }).addTo(layers.names);
  }
}

function drawView() {
  for (const name of ["cells", "links", "villages", "flows", "schools", "names"]) layers[name].clearLayers();
  drawCells();
  drawLinks();
  layers.named = [...drawVillages(), ...drawSchools()];
  drawNames();
}
