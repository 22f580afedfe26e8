// The dashboard: the state comes once from /api/state, then everything from the stream of events; commands go
// over the WebSocket of /ws/admin. Text of records reaches the page as text only.
"use strict";

const LISTED = 100;
const BACK_OFF = [1, 2, 4, 8, 16];

const $ = (id) => document.getElementById(id);

/** An element with a class and a text. */
function el(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined && text !== null) element.textContent = String(text);
  return element;
}

function time(stamp) {
  const element = el("time", "", new Date(stamp).toLocaleTimeString([], { hour12: false }));
  element.dateTime = stamp;
  element.title = new Date(stamp).toLocaleString();
  return element;
}

function stay(seconds) {
  if (typeof seconds !== "number") return "";
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return minutes > 0 ? `${minutes} min ${String(whole % 60).padStart(2, "0")} s` : `${whole} s`;
}

const words = (text) => String(text ?? "").replaceAll("_", " ");
const by_name = new Intl.Collator(undefined, { numeric: true }).compare;

/** The first of its kind replaces the "nothing yet" that stands in its place. */
function begin(parent) {
  parent.querySelector(":scope > .empty, :scope > tr > .empty")?.closest("li, p, tr")?.remove();
}

/** Puts a child where its key belongs among its siblings. */
function insert_sorted(parent, child, key) {
  child.dataset.key = key;
  const after = [...parent.children].find((other) => by_name(other.dataset.key ?? "", key) > 0);
  parent.insertBefore(child, after ?? null);
}

function prepend(parent, child) {
  begin(parent);
  parent.prepend(child);
  while (parent.children.length > LISTED) parent.lastElementChild.remove();
}

// Lots

const lots = new Map();

function bar() {
  const element = el("div", "bar");
  element.append(el("i"));
  return element;
}

function fill(element, rate) {
  const share = Math.max(0, Math.min(1, rate || 0));
  element.firstChild.style.width = `${(share * 100).toFixed(1)}%`;
  element.classList.toggle("warn", share > 0.75 && share <= 0.9);
  element.classList.toggle("bad", share > 0.9);
}

function lot_of(id) {
  let lot = lots.get(id);
  if (!lot) {
    begin($("lots"));
    const card = el("article", "card");
    const head = el("div", "head");
    lot = { card, free: el("span", "pill"), count: el("p", "count"), bar: bar(), levels: new Map(), total: 0, occupied: 0 };
    head.append(el("h3", "", id), lot.free);
    card.append(head, lot.count, lot.bar);
    insert_sorted($("lots"), card, id);
    lots.set(id, lot);
  }
  return lot;
}

function level_of(lot, id) {
  let level = lot.levels.get(id);
  if (!level) {
    const box = el("div", "level");
    const head = el("div", "head");
    level = { title: el("b", "", id), count: el("span", "quiet"), bar: bar(), slots: el("div", "slots"), tiles: new Map(), told: false };
    head.append(level.title, level.count);
    box.append(head, level.bar, level.slots);
    // A lot without levels shows its slots only.
    if (id === "") head.hidden = level.bar.hidden = true;
    insert_sorted(lot.card, box, `level ${id}`);
    lot.levels.set(id, level);
  }
  return level;
}

function show_capacity(data) {
  const lot = lot_of(data.parkingLotId ?? "lot");
  Object.assign(lot, { total: data.totalSlots, occupied: data.occupied });
  const free = data.empty ?? data.totalSlots - data.occupied;
  lot.count.replaceChildren(el("strong", "", data.occupied), ` of ${data.totalSlots} taken`);
  lot.free.textContent = free > 0 ? `${free} free` : "full";
  lot.free.className = `pill ${free > 0 ? "good" : "bad"}`;
  fill(lot.bar, data.occupancyRate);
  show_totals();
}

function show_level(data) {
  const level = level_of(lot_of(data.parkingLotId ?? "lot"), data.levelId ?? "");
  level.told = true;
  level.title.textContent = data.name || data.levelId;
  level.count.textContent = `${data.occupied} of ${data.total}`;
  fill(level.bar, data.total ? data.occupied / data.total : 0);
}

function show_slot(data) {
  const level = level_of(lot_of(data.parkingLotId ?? "lot"), data.levelId ?? "");
  let tile = level.tiles.get(data.slotId);
  if (!tile) {
    tile = el("span", "slot", data.slotId);
    insert_sorted(level.slots, tile, data.slotId);
    level.tiles.set(data.slotId, tile);
  }
  const state = ["free", "occupied"].includes(data.state) ? data.state : "unknown";
  tile.className = `slot ${state}`;
  tile.title = `${data.slotId}: ${state}${data.cause ? `, ${words(data.cause)}` : ""}`;
  if (!level.told) {
    const taken = [...level.tiles.values()].filter((other) => other.classList.contains("occupied")).length;
    level.count.textContent = `${taken} of ${level.tiles.size}`;
    fill(level.bar, taken / level.tiles.size);
  }
}

// Gates

const gates = new Map();
const GATE_COLOURS = { open: "good", held: "warn", opening: "warn", closing: "warn", fault: "bad" };
const DECISION_COLOURS = { allow: "good", deny: "bad", refer: "warn" };

function gate_of(data) {
  const id = data.gateId;
  if (!id) return undefined;
  let gate = gates.get(id);
  if (!gate) {
    begin($("gates"));
    const card = el("article", "card");
    const [head, last, buttons] = [el("div", "head"), el("div", "last"), el("div", "buttons")];
    gate = { state: el("span", "pill", "unknown"), plate: el("span", "plate quiet", "—"), decision: el("span"), note: el("p", "note") };
    head.append(el("h3", "", words(id)), gate.state);
    last.append(gate.plate, gate.decision);
    for (const action of ["open", "close"]) {
      const button = el("button", action === "open" ? "main" : "", action === "open" ? "Open" : "Close");
      button.type = "button";
      button.addEventListener("click", () => control(id, action));
      buttons.append(button);
    }
    card.append(head, last, gate.note, buttons);
    insert_sorted($("gates"), card, id);
    gates.set(id, gate);
  }
  return gate;
}

function note(gate, text, bad) {
  if (!gate) return;
  gate.note.textContent = text;
  gate.note.classList.toggle("bad", Boolean(bad));
}

function show_gate(data) {
  const gate = gate_of(data);
  if (!gate) return;
  gate.state.textContent = words(data.state) + (data.confirmed === false ? " ?" : "");
  gate.state.title = data.confirmed === false ? "The barrier has not confirmed this." : "";
  gate.state.className = `pill ${GATE_COLOURS[data.state] ?? ""}`;
  if (data.cause) note(gate, words(data.cause), data.state === "fault");
}

function show_plate(data) {
  const gate = gate_of(data);
  if (!gate) return;
  gate.plate.textContent = data.plate ?? data.card ?? "—";
  gate.plate.classList.toggle("quiet", !(data.plate ?? data.card));
}

function show_decision(data) {
  const gate = gate_of(data);
  if (!gate) return;
  show_plate(data);
  gate.decision.textContent = words(data.decision);
  gate.decision.className = `pill ${DECISION_COLOURS[data.decision] ?? ""}`;
  note(gate, words(data.reason));
}

// Lists

function show_session(data, entry) {
  const row = el("tr");
  const when = el("td");
  when.append(time(data.timestamp));
  const kind = el("td");
  kind.append(el("span", `pill ${entry ? "good" : ""}`, entry ? "in" : "out"));
  row.append(when, kind, el("td", "mono", data.plate ?? data.card ?? "?"), el("td", "where", words(data.gateId)), el("td", "number", entry ? "" : stay(data.duration)));
  prepend($("sessions"), row);
  totals.entries += entry ? 1 : 0;
  totals.exits += entry ? 0 : 1;
  show_totals();
}

const alerts = new Map();
const SEVERITY_COLOURS = { low: "", medium: "warn", high: "bad", critical: "bad" };

function show_alert(id, stamp, severity, text, status) {
  alerts.get(id)?.remove();
  const item = el("li");
  const body = el("span");
  body.append(el("b", "", text), " ", el("span", `pill ${status === "resolved" ? "good" : SEVERITY_COLOURS[severity] ?? "warn"}`, words(status === "active" ? severity : status)));
  item.append(time(stamp), body);
  alerts.set(id, item);
  prepend($("alerts"), item);
  if (alerts.size > 4 * LISTED) alerts.delete(alerts.keys().next().value);
}

function describe(type, data) {
  const where = words(data.gateId ?? data.parkingLotId ?? data.source ?? "");
  const what = {
    capacity_update: () => `${data.occupied} of ${data.totalSlots} taken`,
    parking_update: () => `${data.name ?? data.levelId}: ${data.occupied} of ${data.total}`,
    slot_changed: () => `${data.slotId} ${words(data.state)}${data.cause ? ` (${words(data.cause)})` : ""}`,
    gate_status: () => words(data.state),
    plate_detected: () => `${data.plate} (${Math.round((data.confidence ?? 0) * 100)} %)`,
    card_detected: () => `${data.card} ${data.state}`,
    access_decision: () => `${data.decision}: ${words(data.reason)} ${data.plate ?? data.card ?? ""}`,
    parking_entry: () => data.plate ?? data.card ?? "",
    parking_exit: () => `${data.plate ?? data.card ?? ""} ${stay(data.duration)}`,
    camera_status: () => `${data.cameraId} ${data.state}${data.cause ? `: ${data.cause}` : ""}`,
    gate_control: () => data.action,
    gate_control_response: () => `${data.action}: ${data.success ? "done" : "refused"}${data.message ? `, ${data.message}` : ""}`,
  }[type];
  return [where, what ? what() : data.message ?? ""];
}

function show_event(type, data) {
  const [where, what] = describe(type, data);
  const item = el("li");
  const body = el("span");
  body.append(el("b", "", words(type)), ` ${where}${what ? ` · ${what}` : ""}`);
  item.append(time(data.timestamp ?? data.createdAt), body);
  prepend($("events"), item);
}

const totals = { entries: 0, exits: 0 };

function show_totals() {
  let [taken, all] = [0, 0];
  for (const lot of lots.values()) [taken, all] = [taken + (lot.occupied || 0), all + (lot.total || 0)];
  const pairs = [["free", all - taken], ["taken", taken], ["in", totals.entries], ["out", totals.exits]];
  $("totals").replaceChildren(...pairs.map(([name, value]) => {
    const pair = el("div");
    pair.append(el("dt", "", name), el("dd", "", value));
    return pair;
  }));
}

// Events in

const SHOW = {
  capacity_update: show_capacity,
  parking_update: show_level,
  slot_changed: show_slot,
  gate_status: show_gate,
  plate_detected: show_plate,
  access_decision: show_decision,
  hardware_status: gate_of,
  parking_entry: (data) => show_session(data, true),
  parking_exit: (data) => show_session(data, false),
  alert: (data) => show_alert(data._id, data.createdAt, data.severity, data.message, data.status),
  violation: (data) => show_alert(data._id, data.timestamp, "high", `${words(data.violationType)} ${data.contractorId ?? data.plateNumber ?? data.parkingLotId ?? ""}`, data.status),
  gate_control_response: (data) => note(gate_of(data), data.message ?? `${data.action}: ${data.success ? "done" : "refused"}`, !data.success),
};
const TYPES = [...Object.keys(SHOW), "camera_status", "card_detected", "image_captured", "occupancy_drift", "gate_control", "fault", "notification", "system_announcement"];
const UNLISTED = ["slot_changed", "parking_update", "hardware_status"];

function apply(type, data) {
  try {
    SHOW[type]?.(data);
    if (!UNLISTED.includes(type)) show_event(type, data);
  } catch (error) {
    // One odd record must not stop the page.
    console.error(type, error);
  }
}

function say(state, text) {
  $("link").className = `pill ${state}`;
  $("link").textContent = text;
}

let stream;
let tries = 0;

function later(what) {
  say("bad", "reconnecting");
  const seconds = BACK_OFF[Math.min(tries, BACK_OFF.length - 1)];
  tries += 1;
  setTimeout(what, seconds * 1000 * (0.75 + Math.random() / 2));
}

/** Forgets what is shown, and begins with what holds now. */
async function load() {
  stream?.close();
  let state;
  try {
    const answer = await fetch("api/state");
    if (answer.status === 401) return ask();
    if (!answer.ok) throw new Error(answer.statusText);
    state = await answer.json();
  } catch {
    return later(load);
  }
  lots.clear();
  gates.clear();
  alerts.clear();
  Object.assign(totals, { entries: 0, exits: 0 });
  for (const id of ["lots", "gates", "alerts", "sessions", "events"]) {
    const parent = $(id);
    if (!parent.querySelector(".empty")) parent.replaceChildren();
  }
  for (const { type, data } of state.events) apply(type, data);
  show_totals();
  follow(state.lastEventId, state.epoch);
}

/** Follows the stream from a record of a log on. The browser itself resumes after the last one that came. */
function follow(last, epoch) {
  const from = new URLSearchParams({ lastEventId: last, epoch });
  stream = new EventSource(`api/sse/dashboard?${from}`);
  stream.addEventListener("connected", () => {
    tries = 0;
    say("good", "live");
  });
  stream.addEventListener("reset", load);
  for (const type of TYPES) {
    stream.addEventListener(type, (event) => {
      apply(type, JSON.parse(event.data).data);
    });
  }
  stream.onerror = () => {
    say("bad", "reconnecting");
    if (stream.readyState === EventSource.CLOSED) later(load);
  };
}

// Commands out

let socket;

function connect(attempt = 0) {
  // Who may not command has no use for a channel: everything to be seen comes over the stream.
  if (!person?.may.command) return;
  const url = new URL(person.may.administer ? "ws/admin" : "ws/gate_all", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const opened = socket = new WebSocket(url);
  socket.onopen = () => { attempt = 0; };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    // Everything else comes over the stream too.
    if (message.type === "error" && message.source === "park-serve") {
      note(gates.get(message.gate_id), message.payload.message, true);
    }
  };
  socket.onclose = () => {
    if (socket !== opened) return;
    setTimeout(connect, 1000 * BACK_OFF[Math.min(attempt, BACK_OFF.length - 1)], attempt + 1);
  };
}

function control(gate, action) {
  if (socket?.readyState !== WebSocket.OPEN) {
    note(gates.get(gate), "not connected to the server", true);
    return;
  }
  note(gates.get(gate), `${action} …`);
  socket.send(JSON.stringify({ type: "gate_control", payload: { action, gate_id: gate }, gate_id: gate, timestamp: new Date().toISOString() }));
}

// Who I am. The token is kept in a cookie that no script can read.

let person;

/** Asks who I am, and so what I may do. */
async function meet() {
  try {
    const answer = await fetch("api/session");
    if (answer.ok) greet(await answer.json());
    else if (answer.status === 401) ask();
    else throw new Error(answer.statusText);
  } catch {
    setTimeout(meet, 1000 * BACK_OFF[1]);
  }
}

function greet(who) {
  person = who;
  $("sign-in").hidden = true;
  $("person").hidden = who.open;
  $("name").textContent = `${who.name}, ${who.role}`;
  document.body.classList.toggle("watching", !who.may.command);
  connect();
}

/** Whoever the server does not know (any more) signs in first. */
function ask() {
  stream?.close();
  socket?.close();
  socket = person = undefined;
  $("person").hidden = true;
  $("sign-in").hidden = false;
  say("warn", "not signed in");
  $("token").focus();
}

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const headers = { Authorization: `Bearer ${$("token").value.trim()}` };
  try {
    const answer = await fetch("api/session", { method: "POST", headers });
    $("sign-in-note").textContent = answer.ok ? "" : answer.status === 401 ? "This token is not valid (any more)." : answer.statusText;
    if (!answer.ok) return;
    $("token").value = "";
    greet(await answer.json());
    load();
  } catch {
    $("sign-in-note").textContent = "The server does not answer.";
  }
});

$("sign-out").addEventListener("click", async () => {
  await fetch("api/session", { method: "DELETE" }).catch(() => {});
  location.reload();
});

load();
meet();
