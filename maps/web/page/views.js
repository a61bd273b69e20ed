// The views: symbols of schools and villages, attendance areas, links. All of them draw on the current sheet.

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
  return isOpen(school, sheet.when) ? { size: 12, shape: shapeOf(school.kind), fill: "#2d3a4d", rank: 3 } : null;
}

function lookCompliance(school) {
  if (!isOpen(school, sheet.when)) return null;
  const verdict = verdictOf(school, sheet.when);
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
  if (school.units.length) return LOOKS[sheet.view](school);
  return sheet.view === "today" && state.stage === "all" ? { size: 9, shape: shapeOf(school.kind), fill: GREY, rank: 4 } : null;
}

function drawSchools() {
  const seen = [];
  for (const school of data.schools) {
    const look = lookOf(school);
    if (!look) continue;
    const icon = L.divIcon({ className: "mark", html: symbol(look.size, look.shape, look.fill, look), iconSize: [look.size, look.size] });
    const marker = L.marker(school.at, { icon, title: fullName(school), alt: fullName(school), riseOnHover: true, zIndexOffset: 1000 * (5 - look.rank), ...clickable() });
    marker.on("click", () => openSchool(school, sheets.seat && marker._map === sheets.seat.map)).addTo(sheet.schools);
    seen.push({ at: school.at, text: shortName(school), note: placesNote(school), school: true, size: look.size, rank: look.rank, tone: look.tone, weight: pupilsOf(school, 1) + pupilsOf(school, 0) });
  }
  return seen;
}

// Places of a receiving school in the plan, of its units that the filter leaves; null where one is not known.
function placesOf(school) {
  const units = unitsOf(school).filter((unit) => unit.open[1]);
  if (school.action !== "receive" || !units.length || units.some((unit) => unit.capacity === null || unit.pupils[1] === null)) return null;
  const sum = (of) => units.reduce((n, unit) => n + of(unit), 0);
  return { taken: sum((u) => u.pupils[1]), of: sum((u) => u.capacity), over: sum((u) => Math.max(0, u.pupils[1] - u.capacity)) };
}

function placesText(school) {
  const places = placesOf(school);
  return places ? say("places", { taken: plain(places.taken, 0), of: plain(places.of, 0) }) + placesState(places) : "";
}

// "Full" and "too many" in words, nothing where places are free.
function placesState(places) {
  if (places.over) return say("places_over", { count: plain(places.over, 0) });
  return places.taken < places.of ? "" : say("places_full");
}

// A gauge and numbers below a receiver's name: how many of its places are taken, "full" in words.
function placesNote(school) {
  if (!["proposal", "closures"].includes(sheet.view)) return null;
  const places = placesOf(school);
  return places && { text: placesText(school), share: Math.min(1, places.taken / Math.max(places.of, 1)), full: places.taken >= places.of };
}

function gauge(share, full) {
  return element("span", { class: "gauge" + (full ? " full" : "") }, [element("span", { style: { width: 100 * share + "%" } })]);
}

// ---- villages ------------------------------------------------------------------------------------

function drawVillages() {
  const seen = [];
  for (const village of data.villages) {
    if (sheet.view === "change") {
      seen.push(...drawChange(village));
      continue;
    }
    if (sheet.view === "minutes") {
      seen.push(...drawMinutes(village));
      continue;
    }
    L.circleMarker(village.at, { renderer: sheet.villageRenderer, radius: 2.4, weight: 0.8, color: "#fff", fillColor: "#2a2a2a", fillOpacity: 1 })
      .on("click", () => openVillage(village)).addTo(sheet.villages);
  }
  return seen;
}

// Larger and darker the more minutes are added; a triangle where the way becomes shorter.
function drawChange(village) {
  const choosers = drawChoosers(village);
  if (!groupsOf(village).some((g) => g.zone)) return choosers;
  const added = addedTo(village);
  if (added === null) return [...choosers, ...drawUnknown(village)];
  const band = ADDED.findIndex(([limit]) => added <= limit);
  const size = [13, 8, 13, 16, 20][band];
  const html = symbol(size, band === 0 ? "triangle" : band === 1 ? "circle" : "square", ADDED[band][1], { edge: "#222" });
  L.marker(village.at, { icon: L.divIcon({ className: "mark", html, iconSize: [size, size] }), title: fullName(village), alt: fullName(village), zIndexOffset: 500 * band, ...clickable() })
    .on("click", () => openVillage(village)).addTo(sheet.villages);
  return band < 2 ? choosers : [...choosers, { at: village.at, text: `${nameOf(village)} +${round(added)}′`, size, rank: 0.5, tone: band > 2 ? "strong" : "amber", weight: added }];
}

// A diamond beside the village for those who by-pass their school by choice and whose own way becomes longer.
function drawChoosers(village) {
  const added = addedToChoosers(village);
  if (added === null || added <= 1) return [];
  const icon = L.divIcon({ className: "mark", html: symbol(15, "diamond", "#fff", { edge: "#222" }), iconSize: [15, 15], iconAnchor: [-4, 7] });
  L.marker(village.at, { icon, title: fullName(village) + say("by_choice"), alt: fullName(village) + say("by_choice"), zIndexOffset: 400, ...clickable() })
    .on("click", () => openVillage(village)).addTo(sheet.villages);
  return [];
}

function drawMinutes(village) {
  const group = slowest(village, sheet.when);
  if (!group) return drawUnknown(village);
  const band = bandOf(group.minutes[sheet.when]);
  const over = groupsOf(village).some((g) => g.zone && g.over[sheet.when]);
  const kept = over && !data.head.audit && (sheet.when === 0 || groupsOf(village).every((g) => !g.zone || !g.over[1] || g.kept));
  const size = 11 + 2 * band;
  const html = element("span", { class: "dot" + (over ? (kept ? " kept" : " over") : ""), style: { width: size + "px", height: size + "px", backgroundColor: BANDS_MIN[band][1] } });
  const icon = L.divIcon({ className: "mark", html, iconSize: [size, size] });
  L.marker(village.at, { icon, title: fullName(village), alt: fullName(village), zIndexOffset: 100 * band + (over ? 3000 : 0), ...clickable() })
    .on("click", () => openVillage(village)).addTo(sheet.villages);
  const text = over ? `${nameOf(village)} ${round(group.minutes[sheet.when])}′` : nameOf(village);
  return [{ at: village.at, text, size, rank: over ? (kept ? 0.5 : 0) : band >= 2 ? 1 : 5, tone: over ? (kept ? "amber" : "strong") : "", weight: group.minutes[sheet.when] }];
}

// A village whose pupils have no known time is shown as such, not left out.
function drawUnknown(village) {
  if (!groupsOf(village).some((g) => g.zone)) return [];
  const html = element("span", { class: "dot unknown", style: { width: "13px", height: "13px" } });
  L.marker(village.at, { icon: L.divIcon({ className: "mark", html, iconSize: [13, 13] }), title: fullName(village), alt: fullName(village), zIndexOffset: 2500, ...clickable() })
    .on("click", () => openVillage(village)).addTo(sheet.villages);
  return [{ at: village.at, text: nameOf(village) + " " + say("unknown_minutes"), size: 13, rank: 0, tone: "strong", weight: 0 }];
}

function drawCells() {
  const when = sheet.when;
  if (["change", "teachers", "devices"].includes(sheet.view)) return;
  const tint = sheet.view === "minutes" ? null : tints(when);
  data.villages.forEach((village, i) => {
    const group = slowest(village, when);
    const fill = tint ? tint[i] : group && BANDS_MIN[bandOf(group.minutes[when])][1];
    if (!fill || !village.cell.length || sheet.view === "closures") return;
    L.polygon(village.cell.map(unpack), {
      renderer: sheet.cellRenderer, interactive: false, color: fill, weight: 1, opacity: tint ? 1 : 0.25, fillColor: fill, fillOpacity: tint ? 1 : 0.25, smoothFactor: 0.2,
    }).addTo(sheet.cells);
  });
}

function drawLinks() {
  if (!["today", "proposal"].includes(sheet.view)) return;
  const when = sheet.when;
  for (const village of data.villages) {
    const targets = new Set(groupsOf(village).filter((g) => g.zone && g.to[when] >= 0).map((g) => g.to[when]));
    for (const target of targets) {
      L.polyline([village.at, data.schools[target].at], { renderer: sheet.linkRenderer, interactive: false, color: "#4a5a6e", weight: 0.9, opacity: 0.7 }).addTo(sheet.links);
    }
  }
}
