// Popups, search, print, deep links, and the start of the page.

function cell(text, kind) {
  return element("td", { text, class: kind || null });
}

function mark(met, known) {
  if (!known) return cell("", "");
  return cell(met ? "✓" : "✗", met ? "ok" : "fail");
}

function headRow(columns) {
  return element("tr", {}, columns.map((c) => element("th", { text: c ? say(c) : "" })));
}

// One unit: size now and after, then its indicators with threshold and mark.
function unitTable(unit) {
  const rows = [headRow(["", "column_now", "", "column_plan", "", "column_standard", "column_gap"])];
  const count = (name, values, standard, ok) => rows.push(element("tr", {}, [
    cell(say(name)), cell(plain(values[0], 0)), cell(""), cell(unit.open[1] ? plain(values[1], 0) : "–"), mark(ok, ok !== undefined && unit.open[1]), cell(standard || ""), cell("")]));
  count("row_pupils", unit.pupils, unit.capacity === null ? "" : say("capacity", { capacity: plain(unit.capacity, 0) }), unit.capacity === null ? undefined : unit.pupils[1] <= unit.capacity);
  count("row_classes", unit.classes);
  count("row_staff", unit.staff);
  for (const item of unit.indicators) {
    const digits = item.id === "eq" ? 0 : 2;
    rows.push(element("tr", {}, [
      element("td", { text: word("indicator", item.id) + (say("per_" + item.id) || ""), title: say("indicator_" + item.id + "_about") }), cell(plain(item.ratio[0], digits)), mark(item.met[0], item.met[0] !== null && item.ratio[0] !== null),
      cell(plain(item.ratio[1], digits)), mark(item.met[1], item.met[1] !== null && item.ratio[1] !== null), cell(item.threshold === null ? "" : "≥ " + plain(item.threshold, item.id === "eq" ? 0 : 1)), cell(gapText(item, unit))]));
  }
  if (data.head.audit) rows.forEach((row) => [4, 3].forEach((i) => row.children[i].remove()));  // nothing is planned
  return element("table", {}, rows);
}

function gapText(item, unit) {
  const gap = item.gap[1];
  if (!unit.open[1] || gap === null || gap <= 0) return "";
  return say("gap_" + item.id, { gap: plain(Math.ceil(gap - 1e-9), 0), money: money(gap) }) || plain(gap, 1);
}

function verdictLine(unit) {
  if (!unit.indicators.some((i) => i.assessed[0] || i.assessed[1])) return say("unassessed");
  const at = (when) => (unit.passes[when] !== null && unit.open[when] ? say(unit.passes[when] ? "passes" : "fails", { met: unit.count_met[when], tested: unit.count_tested[when] }) : say(unit.open[when] ? "unassessed_then" : "closed_then"));
  return data.head.audit ? at(0) : say("verdict", { now: at(0), plan: at(1) });
}

function servedLine(index, school) {
  const when = state.view === "today" ? 0 : 1;
  const served = data.villages.map((v) => [v, v.groups.filter((g) => g.to[when] === index).reduce((worst, g) => (g.minutes[when] > (worst ?? -1) ? g.minutes[when] : worst), null)])
    .filter(([v]) => v.groups.some((g) => g.to[when] === index)).sort((a, b) => (b[1] ?? 0) - (a[1] ?? 0));
  if (!served.length) return null;
  const shown = served.slice(0, 12).map(([v, m]) => `${nameOf(v)} ${m === null ? "–" : round(m) + "′"}`).join(say("comma"));
  const more = served.length > 12 ? say("and_more", { count: served.length - 12 }) : "";
  return element("p", {}, [element("b", { text: say(when && !data.head.audit ? "served_plan" : "served_now") }), document.createTextNode(shown + more)]);
}

function schoolCard(school) {
  const index = data.schools.indexOf(school);
  const to = flowsOf(index, "from"), from = flowsOf(index, "to");
  const lines = [
    to ? say("goes_to", { names: to }) : null, from ? say("comes_from", { names: from }) : null,
    school.lost.length ? say("lost_bands", { bands: school.lost.map((b) => say(b)).join(say("comma")) }) : null,
    ...school.reasons[state.language].map((text) => say("reason", { text })),
    placesOf(school) ? say("places_line", { places: placesText(school) }) : null,
    school.bought.length ? say("bought", { names: boughtText(school) }) : null,
    school.yuan ? say("spent", { money: money(school.yuan) }) : null,
  ].filter(Boolean);
  return element("div", { class: "card" }, [
    element("h3", { text: fullName(school) }),
    element("p", { class: "sub" }, [document.createTextNode([townOf(school), word("kind", school.kind), word("zone", school.zone)].join(" · ") + "  "),
      data.head.audit ? null : element("span", { class: "badge " + school.action, text: say("action_" + school.action) })].filter(Boolean)),
    ...school.units.flatMap((unit) => [
      element("h4", { text: say("stage_" + unit.stage) }), unitTable(unit), element("p", { class: "sub", text: verdictLine(unit) })]),
    ...lines.map((text) => element("p", { text })), servedLine(index, school),
  ]);
}

function flowsOf(index, end) {
  const other = end === "from" ? "to" : "from", sums = new Map();
  for (const f of data.flows) if (f[end] === index) sums.set(f[other], (sums.get(f[other]) || 0) + f.pupils);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([i, n]) => `${nameOf(data.schools[i])} ${plain(n, 0)}`).join(say("comma"));
}

function villageCard(village) {
  const name = (i) => (i < 0 ? "–" : nameOf(data.schools[i]));
  const way = (g, w) => `${say(g.mode[w]) || ""} ${round(g.minutes[w])}`;
  const audited = data.head.audit;
  const rows = village.groups.map((g) => element("tr", {}, [
    cell(say(g.band) + (g.zone ? "" : say("by_choice"))), cell(plain(g.pupils, 0)),
    cell(g.to[0] === g.to[1] ? name(g.to[1]) : `${name(g.to[0])} → ${name(g.to[1])}`, g.changed ? "fail" : ""),
    cell(way(g, 0)), audited ? null : cell(way(g, 1)), cell(g.limit === null ? "–" : "≤ " + round(g.limit)),
    cell(g.over[1] ? say(g.kept && !audited ? "kept" : "over") : "✓", g.over[1] ? "fail" : "ok")]));
  const columns = ["column_band", "row_pupils", "column_school", "column_now", "column_plan", "column_limit", ""].filter((c) => !audited || c !== "column_plan");
  return element("div", { class: "card" }, [
    element("h3", { text: fullName(village) }), element("p", { class: "sub", text: townOf(village) }),
    element("table", { class: "wrap" }, [headRow(columns), ...rows])]);
}

function open(at, card, zoom) {
  map.closePopup();
  if (zoom) map.getContainer().scrollIntoView({ block: "nearest" });  // on a phone lists stand below the map
  if (zoom) map.setView(at, Math.max(map.getZoom(), Math.min(map.getBoundsZoom(data.bounds) + 1.5, 15)), { animate: false });
  const size = map.getSize(), narrow = size.x < 620;
  // beside the buttons, not under them; on a phone below them, as wide as the map
  const right = narrow ? 8 : document.getElementById("corner").offsetWidth + 20, top = narrow ? document.getElementById("corner").offsetHeight + 20 : 14;
  const room = size.x - right - (narrow ? 46 : 60);
  L.popup({
    className: "popup", maxWidth: Math.min(520, room), minWidth: Math.min(400, room), maxHeight: Math.max(160, size.y - top - 90),
    autoPanPaddingTopLeft: [narrow ? 8 : 14, top], autoPanPaddingBottomRight: [right, 14],
  })
    .setLatLng(at).setContent(card).openOn(map);
}

function openSchool(school, zoom) {
  state.place = school.id;
  open(school.at, schoolCard(school), zoom);
  writeLink();
}

function openVillage(village, zoom) {
  state.place = village.id;
  open(village.at, villageCard(village), zoom);
  writeLink();
}

// ---- search --------------------------------------------------------------------------------------

function findPlaces(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const spelt = wanted.replace(/\s+/g, "");
  // by name, by Latin name, by pinyin or its first letters, by code: a beginning before a middle
  const rank = (p) => {
    const at = [p.place.name.toLowerCase().indexOf(wanted), (p.place.latin || "").toLowerCase().indexOf(wanted), String(p.place.id).toLowerCase() === wanted ? 0 : -1,
      ...p.place.keys.split(" ").map((key) => key.indexOf(spelt))].filter((i) => i >= 0);
    return at.length ? Math.min(...at) : -1;
  };
  const places = [
    ...data.schools.map((s) => ({ place: s, text: fullName(s), note: townOf(s), go: () => openSchool(s, true) })),
    ...data.villages.map((v) => ({ place: v, text: fullName(v), note: say("a_village", { town: townOf(v) }), go: () => openVillage(v, true) })),
  ];
  return places.filter((p) => rank(p) >= 0).sort((a, b) => rank(a) - rank(b)).slice(0, 12);
}

function startSearch() {
  const box = document.getElementById("search"), list = document.getElementById("found");
  const close = () => { list.hidden = true; };
  const show = () => {
    const rows = findPlaces(box.value).map((p) => ({ ...p, go: () => { close(); p.go(); } }));
    fill("found", rows.length ? rows.map(rowButton) : [element("li", { class: "none", text: say("search_nothing") })]);
    list.hidden = !box.value.trim();
  };
  box.addEventListener("input", show);
  box.addEventListener("compositionend", show);  // text chosen in a Chinese input method
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") close();
    const first = list.querySelector("button");
    if (event.key === "Enter" && !list.hidden && first) first.click();
    if (event.key === "ArrowDown" && first) first.focus();
  });
  document.addEventListener("click", (event) => { if (!list.contains(event.target) && event.target !== box) close(); });
}

// From row to row of a list with the arrow keys.
function startArrows(list) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], rows = [...list.querySelectorAll("button")];
    const next = step && rows[rows.indexOf(document.activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

// ---- print and links -----------------------------------------------------------------------------

// Fix the page first, fit, let the canvas settle, then print: fitting while the browser prints blanks it.
function printPage() {
  const view = [map.getCenter(), map.getZoom()];
  map.closePopup();
  document.body.classList.add("printing");
  map.invalidateSize({ animate: false });
  fitCounty();
  const done = () => {
    document.body.classList.remove("printing");
    map.invalidateSize({ animate: false });
    map.setView(view[0], view[1], { animate: false });
  };
  window.addEventListener("afterprint", done, { once: true });
  setTimeout(() => window.print(), 500);
}

function writeLink() {
  if (location.protocol === "about:") return;  // a frame in a notebook has no address of its own
  const parts = { view: state.view, lang: state.language, stage: state.stage, when: state.when, place: state.place, at: state.view === "swipe" ? state.at : null };
  const link = new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== undefined && value !== null));
  history.replaceState(null, "", "#" + link);
}

function readLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  if (viewsHere().includes(link.get("view"))) state.view = link.get("view");
  if (link.get("lang") in data.words) state.language = link.get("lang");
  if (link.get("stage") in data.stages) state.stage = link.get("stage");
  if (!data.head.audit && ["0", "1"].includes(link.get("when"))) state.when = Number(link.get("when"));
  if (/^\d+$/.test(link.get("at") || "")) state.at = Math.min(100, Number(link.get("at")));
  state.place = link.get("place");
}

function openPlace() {
  const school = data.schools.find((s) => s.id === state.place);
  const village = data.villages.find((v) => v.id === state.place);
  if (school) openSchool(school, true);
  else if (village) openVillage(village, true);
}

function drawAll() {
  drawHead();
  drawChoices();
  drawLegend();
  drawList();
  drawMeasures();
  map.invalidateSize({ animate: false });
  drawView();
}

function change(what) {
  Object.assign(state, { flow: null }, what, { place: null });
  map.closePopup();
  document.getElementById("found").hidden = true;
  drawAll();
  writeLink();
}

document.addEventListener("DOMContentLoaded", () => {
  data = JSON.parse(document.getElementById("plan-data").textContent);
  state.language = data.language;
  if (data.head.audit) Object.assign(state, { view: "today", when: 0 });
  startMap();
  readLink();
  drawAll();
  fitCounty();
  openPlace();
  map.on("moveend zoomend resize", drawAllNames);
  drawAllNames();
  startSearch();
  document.getElementById("language").addEventListener("click", () => change({ language: state.language === "zh" ? "en" : "zh" }));
  document.getElementById("print").addEventListener("click", printPage);
  document.querySelectorAll("#found, #list").forEach(startArrows);
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape") map.closePopup();  // wherever the focus is: in the list, mostly
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "p") {
      event.preventDefault();  // the browser's own print would not fit the county to the paper
      if (!document.body.classList.contains("printing")) printPage();
    }
  });
  window.addEventListener("hashchange", () => { readLink(); drawAll(); openPlace(); });
});
