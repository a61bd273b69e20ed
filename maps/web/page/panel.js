// Header, buttons, legend, list, indicator table, popups, search, print and deep links.

function fill(id, nodes) {
  document.getElementById(id).replaceChildren(...nodes.filter(Boolean));
}

function drawHead() {
  const head = data.head, county = head.name[state.language];
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  document.title = say(head.audit ? "audit_title" : "title", { county });
  fill("title", [document.createTextNode(document.title), head.audit ? null : element("span", { class: "draft", text: say("draft") })]);
  const facts = head.audit ? [say("fact_year", { year: head.year }), say("fact_audit")] : [
    say("fact_draft"), say("fact_year", { year: head.year }), say("fact_plan", { plan: head.plan }),
    head.gap === null ? null : say(head.status === "proven" ? "fact_gap" : "fact_gap_stopped", { gap: plain(100 * head.gap, 1), goal: head.goal[state.language] }),
    head.bound[state.language] === null ? null : say("fact_bound", { objective: head.reached[state.language] || "–", bound: head.bound[state.language] }),
  ];
  document.getElementById("facts").textContent = facts.filter(Boolean).join(" · ");
  const labels = [
    head.public ? say("label_public") : null, head.fictional ? say("label_fictional") : null,
    head.modelled[state.language].length ? say("label_modelled", { names: head.modelled[state.language].join(say("comma")) }) : null,
    head.crow_fly ? say("label_crow_fly") : null,
  ];
  document.getElementById("banner").textContent = labels.filter(Boolean).join("  ");
  document.getElementById("language").textContent = say("other_language");
  document.getElementById("print").textContent = say("print");
  document.getElementById("whole").textContent = say("whole_county");
  if (data.seat) document.getElementById("to-seat").textContent = say("seat");
  document.getElementById("search").placeholder = say("search");
  document.getElementById("search").setAttribute("aria-label", say("search"));
  document.querySelectorAll("[data-word]").forEach((node) => { node.textContent = say(node.dataset.word); });
  document.getElementById("notes").textContent = [say("note_areas"), say("note_minutes")].join(" ");
}

// The views that have something to tell.
function viewsHere() {
  return data.head.audit ? AUDITED : VIEWS;
}

function choice(text, pressed, on, name) {
  return element("button", { type: "button", text, "aria-pressed": String(pressed), "data-choice": name, on: { click: on } });
}

function drawChoices() {
  fill("views", viewsHere().map((view) => choice(say("view_" + view), state.view === view, () => change({ view }), view)));
  fill("stages", Object.keys(data.stages).map((stage) => choice(say("stage_" + stage), state.stage === stage, () => change({ stage }), stage)));
  const timed = !data.head.audit && ["minutes", "compliance"].includes(state.view);
  fill("times", timed ? [0, 1].map((when) => choice(say(when ? "after" : "before"), state.when === when, () => change({ when }), "when" + when)) : []);
}

// ---- legend --------------------------------------------------------------------------------------

function swatch(style) {
  return element("span", { style: { width: "30px", height: "12px", ...style } });
}

function dot(extra, color) {
  return element("span", { class: "dot " + extra, style: { width: "14px", height: "14px", backgroundColor: color } });
}

const kinds = () => [
  [symbol(17, "circle", BLUE), say("legend_primary")], [symbol(16, "diamond", BLUE), say("legend_point")],
  [symbol(15, "square", BLUE), say("legend_junior")], [symbol(17, "hexagon", BLUE), say("legend_nine_year")],
];
const actions = () => [
  [symbol(16, "", "", { closed: true }), say("legend_close")],
  [symbol(18, "circle", GREEN, { sign: "plus" }), say("legend_receive")],
  [symbol(18, "circle", "#f2b134", { sign: "minus" }), say("legend_reduce")],
];
const LEGENDS = {
  today: () => [...kinds(), [symbol(16, "circle", BLUE, { edge: "#e08a00" }), say("legend_over_capacity")],
    [symbol(11, "circle", GREY), say(data.head.audit ? "legend_unassessed" : "legend_outside")], ...areas()],
  proposal: () => [...kinds(), ...actions(), ...places(), ...areas()],
  swipe: () => [...kinds(), [symbol(16, "circle", BLUE, { edge: "#e08a00" }), say("legend_over_capacity")], ...actions(), ...places(), ...areas()],
  closures: () => [...actions(), ...places(), [arrow(RED, 4, ""), say("legend_flow")], [arrow("#55606f", 1.6, "4 3"), say("legend_shift")],
    [symbol(10, "circle", BLUE), say("legend_unchanged")]],
  minutes: () => [...BANDS_MIN.map(([, color], i) => [dot("", color), say("legend_minutes_" + i)]),
    [dot("over", BANDS_MIN[3][1]), say("legend_over")], ...(data.head.audit ? [] : [[dot("kept", BANDS_MIN[3][1]), say("legend_kept")]]), [dot("unknown", "#fff"), say("legend_unknown")],
    [symbol(13, "circle", "#2d3a4d"), say("legend_school")]],
  change: () => [...ADDED.map(([, color], i) => [symbol([13, 8, 13, 16, 20][i], i === 0 ? "triangle" : i === 1 ? "circle" : "square", color, { edge: "#222" }), say("legend_added_" + i)]),
    [symbol(15, "diamond", "#fff", { edge: "#222" }), say("legend_choosers")],
    [dot("unknown", "#fff"), say("legend_unknown")], [symbol(11, "circle", "#2d3a4d"), say("legend_school")]],
  teachers: () => [[symbol(20, "circle", PURPLE, { edge: "#222", net: 3 }), say("legend_gains")], [symbol(20, "circle", "#fff", { edge: "#222", net: -3 }), say("legend_gives")],
    [symbol(20, "circle", "#cfd3da", { edge: "#222", net: 0 }), say("legend_even")], [arrow(PURPLE, 2.4, ""), say("legend_moves")], [symbol(16, "", "", { closed: true }), say("legend_close")]],
  devices: () => [[symbol(19, "square", BLUE, { edge: "#111", number: 2 }), say("legend_bought")], [symbol(8, "circle", GREY), say("legend_unchanged")]],
  compliance: () => [[symbol(18, "circle", GREEN, { sign: "check" }), say("legend_passes")],
    [symbol(20, "triangle", "#f3b61f", { edge: "#111", number: 1 }), say("legend_few")],
    [symbol(18, "square", "#b3261e", { edge: "#111", number: 3 }), say("legend_many")],
    [symbol(11, "circle", GREY), say("legend_unassessed")], [tinted(), say("legend_areas")]],
};

// What stands below a receiver's name.
const places = () => (data.schools.some(placesOf) ? [[gauge(0.6, false), say("legend_places")], [gauge(1, true), say("legend_full")]] : []);

function tinted() {
  return swatch({ background: `linear-gradient(90deg, ${TINTS[0]} 33%, ${TINTS[1]} 33% 66%, ${TINTS[2]} 66%)` });
}

function areas() {
  return [[tinted(), say("legend_areas")], [swatch({ height: 0, borderTop: "1.5px solid #4a5a6e" }), say("legend_link")]];
}

function arrow(color, width, dash) {
  const holder = document.createElement("div");
  holder.innerHTML = `<svg width="34" height="12"><path d="M1 6h22" stroke="${color}" stroke-width="${Number(width)}" stroke-dasharray="${dash}"/><path d="M22 0v12l11-6Z" fill="${color}"/></svg>`;
  return holder.firstChild;
}

function drawLegend() {
  const background = [
    state.view === "minutes" ? null : [element("span", { style: { width: "6px", height: "6px", borderRadius: "50%", background: "#2a2a2a" } }), say("legend_village")],
    Object.keys(data.roads).length ? [swatch({ height: "2px", borderTop: "2.5px solid #b98f45", borderBottom: "1px solid #c4bcab" }), say("legend_roads")] : null,
    data.waters.length ? [swatch({ height: 0, borderTop: "4px solid #8db9dc" }), say("legend_water")] : null,
    data.townships.length ? [swatch({ height: 0, borderTop: "2px dashed #6d7480" }), say("legend_township")] : null,
    data.border.length ? [swatch({ height: 0, borderTop: "2.5px solid #3c434e" }), say("legend_border")] : null,
  ];
  const rows = [...LEGENDS[state.view](), ...background.filter(Boolean)];
  fill("legend", rows.map(([key, text]) => element("li", {}, [element("span", { class: "key" }, [key]), element("span", { text })])));
}

// ---- list of the view ----------------------------------------------------------------------------

function arrowText(today, plan) {
  return `${round(today)} → ${round(plan)}`;
}

function schoolRow(school, note) {
  return { text: nameOf(school), note, go: () => openSchool(school, true) };
}

function receivers(index) {
  return flowsShown(state.view).filter((f) => f.from === index && f.closed).reverse().map((f) => `${nameOf(data.schools[f.to])} ${plain(f.pupils, 0)}`);
}

// Pupils who change school though theirs stays open.
function shiftRows() {
  return flowsShown("closures").filter((f) => !f.closed).reverse()
    .map((f) => schoolRow(data.schools[f.from], `→ ${nameOf(data.schools[f.to])} ${say("list_pupils", { pupils: plain(f.pupils, 0) })}`));
}

function unknownRows() {
  return data.villages.filter((v) => groupsOf(v).some((g) => g.zone) && !slowest(v, state.when))
    .map((v) => ({ text: nameOf(v), note: say("unknown_minutes"), go: () => openVillage(v, true) }));
}

function slowRows() {
  const rows = data.villages.map((v) => [v, slowest(v, state.when), groupsOf(v).filter((g) => g.zone && g.over[state.when])])
    .filter(([, group, over]) => group && (over.length || group.minutes[state.when] > 30));
  rows.sort((a, b) => (b[2].length > 0) - (a[2].length > 0) || b[1].minutes[state.when] - a[1].minutes[state.when]);
  return rows.map(([v, group, over]) => {
    const kept = state.when === 1 && over.every((g) => g.kept);
    const key = !over.length ? "list_minutes_row" : kept ? "list_kept" : "list_over";
    return { text: nameOf(v), note: say(key, { minutes: round(group.minutes[state.when]) }), go: () => openVillage(v, true) };
  });
}

const LISTS = {
  today: () => data.schools.filter((s) => isOpen(s, 0)).sort((a, b) => pupilsOf(b, 0) - pupilsOf(a, 0))
    .map((s) => schoolRow(s, say("list_pupils", { pupils: plain(pupilsTold(s, 0), 0) }) + (overCapacity(s, 0) ? say("list_over_capacity") : ""))),
  proposal: () => data.schools.filter((s) => s.units.length && pupilsTold(s, 0) !== pupilsTold(s, 1))
    .sort((a, b) => pupilsOf(b, 1) - pupilsOf(b, 0) - (pupilsOf(a, 1) - pupilsOf(a, 0)))
    .map((s) => schoolRow(s, arrowText(pupilsTold(s, 0), pupilsTold(s, 1)) + listedPlaces(s))),
  swipe: () => LISTS.proposal(),
  closures: () => [...data.schools.map((s, i) => [s, i]).filter(([s]) => ["close", "reduce"].includes(s.action) && unitsOf(s).length)
    .sort(([a], [b]) => (a.action > b.action) - (a.action < b.action))
    .map(([s, i]) => schoolRow(s, (s.action === "reduce" ? say("list_reduce", { bands: s.lost.map((b) => say(b)).join(say("comma")) }) + " " : "") + "→ " + (receivers(i).join(say("comma")) || say("list_nobody")))), ...shiftRows()],
  minutes: () => [...unknownRows(), ...slowRows()],
  change: () => data.villages.flatMap((v) => [[v, addedTo(v), ""], [v, addedToChoosers(v), say("by_choice")]])
    .filter(([, added]) => added !== null && added > 1).sort((a, b) => b[1] - a[1])
    .map(([v, added, who]) => ({ text: nameOf(v) + who, note: say("list_added", { minutes: round(added) }), go: () => openVillage(v, true) })),
  teachers: () => [...zoneRows(), ...data.schools.map((s) => [s, teachersAt(s)]).filter(([, t]) => t.into || t.out).sort(([, a], [, b]) => a.into - a.out - (b.into - b.out))
    .map(([s, t]) => schoolRow(s, say("list_flow", { into: t.into, out: t.out })))],
  devices: () => data.schools.filter((s) => s.bought.length).sort((a, b) => boughtYuan(b) - boughtYuan(a))
    .map((s) => schoolRow(s, boughtText(s))),
  compliance: () => data.schools.map((s) => [s, isOpen(s, state.when) && verdictOf(s, state.when)]).filter(([, v]) => v && !v.passes)
    .sort(([, a], [, b]) => b.missed - a.missed).map(([s, v]) => schoolRow(s, say("list_missed", { count: v.missed }))),
};

function listedPlaces(school) {
  const places = placesOf(school);
  return places ? say("list_places", { of: plain(places.of, 0), state: placesState(places) }) : "";
}

// What is bought, each with its quantity and unit.
function boughtText(school) {
  const counted = (n, unit) => (unit === "yuan" ? money(n) : [plain(n, Number.isInteger(n) ? 0 : 1), say("counted_" + unit)].filter(Boolean).join(" "));
  return school.bought.map(([item, n, , unit]) => `${word("resource", item)} ${counted(n, unit)}`).join(say("comma"));
}

function boughtYuan(school) {
  return school.bought.reduce((sum, [, , yuan]) => sum + yuan, 0);
}

// Who flows between the seat, towns and villages: what comes and leaves for each zone, then from zone to zone.
function zoneRows() {
  const order = ["seat", "town", "rural"], zones = [...new Set(data.schools.map((s) => s.zone))].sort((a, b) => order.indexOf(a) - order.indexOf(b)), shown = movesShown();
  const sum = (zone, end) => shown.filter((m) => data.schools[m[end]].zone === zone).reduce((n, m) => n + m.heads, 0);
  const net = zones.map((zone) => [zone, sum(zone, "to"), sum(zone, "from")]).filter(([, into, out]) => into || out)
    .map(([zone, into, out]) => ({ text: say("list_zone", { zone: word("zone", zone) }), note: say("list_flow", { into, out }), go: fitCounty }));
  return [...net, ...flowRows(shown)];
}

// From zone to zone; a click leaves only these arrows, a second one brings the others back.
function flowRows(shown) {
  const heads = new Map();
  for (const move of shown) heads.set(zonesOf(move), (heads.get(zonesOf(move)) || 0) + move.heads);
  return [...heads].sort((a, b) => b[1] - a[1]).map(([flow, count]) => {
    const [from, to] = flow.split(">").map((zone) => word("zone", zone));
    return { text: say("list_zone_flow", { from, to }), note: say("list_heads", { count }), pressed: state.flow === flow, key: flow, go: () => pickFlow(flow) };
  });
}

function pickFlow(flow) {
  state.flow = state.flow === flow ? null : flow;
  drawList();
  drawView();
}

function rowButton(row) {
  const pressed = row.pressed === undefined ? null : String(row.pressed);
  return element("li", {}, [element("button", { type: "button", "aria-pressed": pressed, "data-flow": row.key || null, on: { click: row.go } }, [
    element("span", { text: row.text }), element("span", { class: "note", text: row.note })])]);
}

function drawList() {
  const rows = LISTS[state.view]();
  document.getElementById("list-title").textContent = say("list_" + state.view, { count: rows.length });
  fill("list", rows.length ? rows.map(rowButton) : [element("li", { class: "none", text: say("list_empty") })]);
}

// ---- key indicators ------------------------------------------------------------------------------

function drawMeasures() {
  const audited = data.head.audit, columns = audited ? ["", "now"] : ["", "now", "plan", "change"];
  document.querySelector('[data-word="heading_measures"]').textContent = say(audited ? "audit_measures" : "heading_measures");
  const rows = [element("tr", {}, columns.map((c) => element("th", { text: c ? say("column_" + c) : "" })))];
  let group = "";
  for (const m of data.measures) {
    if (m.way !== group && !audited) rows.push(element("tr", { class: "group" }, [element("td", { colspan: 4, text: say("way_" + m.way) })]));
    group = m.way;
    const digits = digitsOf(m.unit, [m.today, m.plan]);
    const step = m.today === null || m.plan === null ? null : m.plan - m.today;
    const sign = !step ? "–" : (step > 0 ? "▲" : "▼") + quantity(Math.abs(step), m.unit, digits);
    const unit = say("unit_" + m.unit);
    const name = word("measure", m.id) + (unit ? say("in_unit", { unit }) : "");
    const cells = [element("td", { text: name, title: say("measure_" + m.id + "_about") }), element("td", { text: quantity(m.today, m.unit, digits) }),
      element("td", { text: quantity(m.plan, m.unit, digits) }), element("td", { class: m.way, text: sign })];
    rows.push(element("tr", {}, cells.slice(0, columns.length)));
  }
  fill("measures", rows);
}
