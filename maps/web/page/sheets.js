// Sheets: the map itself, the side of today in the comparison, and the seat enlarged. Each has panes, layers, a view and a time.

let sheet;  // where the views draw now
const sheets = {};  // main, before, seat
const GROUPS = ["cells", "links", "villages", "flows", "schools", "names"];
const PANES = [["cells", 210], ["links", 300], ["villages", 410, true], ["flows", 420], ["schools", 600, true], ["names", 630], ["bubbles", 640]];
let told = false;  // whether a popup is open: the enlarged seat would cover it
const WIDE_ENOUGH = 700;  // pixels of the map from which the seat stands enlarged in its corner
const STEP = 2, LEAP = 10;  // hundredths of the map's width that a key moves the line

function pane(leaflet, name, order, clicks) {
  const node = leaflet.createPane(name);
  node.style.zIndex = order;
  if (!clicks) node.style.pointerEvents = "none";
  return name;
}

function makeSheet(leaflet, side) {
  const made = { map: leaflet, pane: {}, named: [], arrows: [] };
  for (const [name, order, clicks] of PANES) made.pane[name] = pane(leaflet, side + name, order, clicks);
  made.cellRenderer = L.canvas({ pane: made.pane.cells, padding: 0.3 });
  made.linkRenderer = L.canvas({ pane: made.pane.links, padding: 0.3 });
  made.villageRenderer = L.canvas({ pane: made.pane.villages, padding: 0.3, tolerance: 5 });
  made.flowRenderer = L.svg({ pane: made.pane.flows, padding: 0.5 });
  for (const name of GROUPS) made[name] = L.layerGroup().addTo(leaflet);
  return made;
}

function startSheets() {
  sheet = sheets.main = makeSheet(map, "");
  map.on("move zoom resize viewreset", clipSides);
  map.on("popupopen popupclose", (event) => {
    told = event.type === "popupopen";
    if (sheets.seat) drawAllNames();
  });
  if (data.seat) document.getElementById(map.getContainer().id).append(seatNode());
}

// Pane and keyboard of a mark; those of the enlarged seat are a second way to the same places, not one more stop for the tab key.
function clickable() {
  return { pane: sheet.pane.schools, keyboard: sheet !== sheets.seat };
}

function on(one, draw) {
  sheet = one;
  draw();
  sheet = sheets.main;
}

function timeOf(view) {
  return view === "today" ? 0 : ["minutes", "compliance"].includes(view) ? state.when : 1;
}

function show(one, view) {
  Object.assign(one, { view, when: timeOf(view) });
  on(one, drawSheet);
}

function drawView() {
  const compared = state.view === "swipe";
  if (compared && !sheets.before) sheets.before = makeSheet(map, "before-");
  drawSwipe(compared);
  show(sheets.main, compared ? "proposal" : state.view);
  if (compared) show(sheets.before, "today");
  else if (sheets.before) on(sheets.before, () => GROUPS.forEach((name) => sheet[name].clearLayers()));
  clipSides();
  if (placeSeat()) show(sheets.seat, state.view);
}

// After the map has moved, and when the enlarged seat comes or goes.
function drawAllNames() {
  const shown = placeSeat();
  on(sheets.main, drawNames);
  if (state.view === "swipe" && sheets.before) on(sheets.before, drawNames);
  if (shown && sheets.seat.view !== state.view) show(sheets.seat, state.view);
  else if (shown && sheets.seat.drawn !== seatScale()) on(sheets.seat, drawNames);  // the window has another size
  if (shown) sheets.seat.drawn = seatScale();
}

function seatScale() {
  const size = sheets.seat.map.getSize();
  return `${sheets.seat.map.getZoom()} ${size.x} ${size.y}`;
}

// Whether something between these places is told on this sheet: the enlarged seat tells what lies within it.
function inHere(places) {
  const within = seatBounds() && places.every((at) => seatBounds().contains(at));
  return sheet === sheets.seat ? within : !(within && seatShown());
}

// ---- today and plan, divided by a line -----------------------------------------------------------

function drawSwipe(compared) {
  let line = document.getElementById("swipe");
  if (!line && compared) map.getContainer().append(line = swipeNode());
  if (!line) return;
  line.hidden = !compared;
  fill("swipe", ["before", "after"].map((side) => element("span", { class: "side " + side, text: (side === "before" ? "◀ " : "") + say(side) + (side === "after" ? " ▶" : "") })).concat(element("span", { class: "grip", text: "◀▶", "aria-hidden": "true" })));
  line.setAttribute("aria-label", say("swipe_label"));
}

// A slider: drawn along with a finger or a mouse, moved with the arrow keys.
function swipeNode() {
  const line = element("div", { id: "swipe", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": "100" });
  const keys = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP, Home: -100, End: 100 };
  const drag = (event) => {
    const box = map.getContainer().getBoundingClientRect();
    moveLine(100 * (event.clientX - box.left) / box.width);
  };
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    line.addEventListener("pointermove", drag);
  });
  for (const end of ["pointerup", "pointercancel"]) line.addEventListener(end, () => { line.removeEventListener("pointermove", drag); writeLink(); });
  line.addEventListener("keydown", (event) => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    event.stopPropagation();
    moveLine(state.at + keys[event.key]);
    writeLink();
  });
  L.DomEvent.disableClickPropagation(line);
  return line;
}

function moveLine(at) {
  state.at = Math.round(Math.min(100, Math.max(0, at)));
  clipSides();
}

// Today is shown left of the line and the plan right of it; elsewhere nothing is cut.
function clipSides() {
  const compared = state.view === "swipe", size = map.getSize(), corner = map.containerPointToLayerPoint([0, 0]);
  const cut = corner.x + size.x * state.at / 100;
  const box = (left, right) => `polygon(${[[left, corner.y], [right, corner.y], [right, corner.y + size.y], [left, corner.y + size.y]].map(([x, y]) => `${x}px ${y}px`).join(",")})`;
  const clip = (one, shape) => one && Object.values(one.pane).forEach((name) => { map.getPane(name).style.clipPath = shape; });
  clip(sheets.main, compared ? box(cut, corner.x + size.x) : "");
  clip(sheets.before, compared ? box(corner.x, cut) : "");
  hideCutNames();
  const line = document.getElementById("swipe");
  if (!line) return;
  line.style.left = state.at + "%";
  line.setAttribute("aria-valuenow", String(state.at));
  line.setAttribute("aria-valuetext", say("swipe_at", { today: state.at, plan: 100 - state.at }));
}

// ---- the seat, enlarged --------------------------------------------------------------------------

function seatBounds() {
  return data.seat && L.latLngBounds(data.seat);
}

function fitSeat() {
  map.closePopup();
  map.fitBounds(data.seat, { padding: [20, 20], animate: false });
}

function seatNode() {
  return element("figure", { id: "seat", hidden: "" }, [element("figcaption"), element("div", { id: "seat-map", role: "img" })]);
}

// As large as a corner allows; on a wide screen as large as the room beside the county.
function seatBox() {
  const size = map.getSize(), beside = size.x - spanAt(size.y - 52) - 100;
  return boxOf(Math.max(seatSide(size), Math.min(beside / 1.05, 0.6 * size.y, 560)));
}

function seatSide(size) {
  return Math.max(220, Math.min(0.4 * Math.min(size.x, size.y), 330));
}

function boxOf(side) {
  return { width: Math.round(1.05 * side), height: Math.round(side) };
}

function seatFits() {
  return Boolean(data.seat) && map.getSize().x >= WIDE_ENOUGH && state.view !== "swipe";
}

// It stands where there is room for it, and where it shows the seat at least half as large again as the map does.
function seatShown() {
  const node = document.getElementById("seat");
  return Boolean(node) && !node.hidden;
}

function placeSeat() {
  const node = document.getElementById("seat");
  if (!node) return false;
  const box = seatBox(), [low, high] = [seatBounds().getSouthWest(), seatBounds().getNorthEast()].map((at) => map.latLngToContainerPoint(at));
  const small = boxOf(seatSide(map.getSize())), enlarged = Math.min(small.width / (high.x - low.x), small.height / (low.y - high.y));
  node.hidden = !(seatFits() && enlarged >= 1.5) || told;
  if (sheets.seat) sheets.seat.frame.setStyle({ opacity: node.hidden ? 0 : 1 });
  if (node.hidden) return false;
  Object.assign(node.style, { width: box.width + "px", height: box.height + "px" });
  node.querySelector("figcaption").textContent = say("seat_enlarged");
  document.getElementById("seat-map").setAttribute("aria-label", say("seat_enlarged"));
  if (!sheets.seat) startSeat();
  sheets.seat.map.invalidateSize({ animate: false });
  sheets.seat.map.fitBounds(data.seat, { padding: [4, 4], animate: false });
  return true;
}

// Names within the seat without the county's, which all of them begin with.
function shortName(school) {
  const name = nameOf(school), county = data.head.name[state.language];
  return sheet === sheets.seat && name.startsWith(county) && name.length > county.length ? name.slice(county.length).trim() : name;
}

function startSeat() {
  const still = { zoomControl: false, attributionControl: false, dragging: false, scrollWheelZoom: false, doubleClickZoom: false, boxZoom: false, keyboard: false, touchZoom: false, zoomSnap: 0 };
  const leaflet = L.map("seat-map", still);
  leaflet.fitBounds(data.seat, { animate: false });
  drawGround(leaflet);
  sheets.seat = makeSheet(leaflet, "seat-");
  L.DomEvent.disableClickPropagation(document.getElementById("seat"));
  const frame = { interactive: false, fill: false, color: "#111", weight: 1.4, dashArray: "6 4", pane: pane(map, "seat-frame", 415) };
  sheets.seat.frame = L.rectangle(data.seat, { ...frame, renderer: L.svg({ pane: "seat-frame", padding: 0.5 }) }).addTo(map);
}
