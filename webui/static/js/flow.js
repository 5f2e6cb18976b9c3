// A flow's draft in the browser: every change goes to the server, one after the other, and what it answers is drawn. The forms work
// without this script; with it they are sent as they are filled in, exits are connected by clicking, and boxes are dragged.
import { texts } from "./page.js";

const TYPING_MS = 900;
const SEARCH_MS = 350;
const LOOK_MS = 15000;
const BUSY_MS = 2000;
const LIMIT_MS = 20000;
const STEP = 20;
const DRAG_FROM = 6;
const SVG_PARTS = ["flow-graph", "flow-bar", "flow-faults", "flow-table"];

const desk = () => document.getElementById("flow-desk");
const byId = (id) => document.getElementById(id);
let queue = Promise.resolve();
let waiting = 0;
let typing = null; // a form that was changed and is not sent yet
let typingTimer = 0;
let connecting = null; // the exit whose target is asked for
let dragged = null;
let isStale = false;

// --- asking the server -------------------------------------------------------------------------------------------------

function inTurn(work) {
  busy(1);
  queue = queue.then(work).catch((error) => { console.error(error); tell(desk().dataset.lost); }).finally(() => busy(-1));
  return queue;
}

function busy(more) {
  waiting += more;
  byId("main").ariaBusy = String(waiting > 0);
}

async function ask(address, options = {}) {
  for (;;) {
    const answer = await fetch(address, { ...options, headers: { "X-Part": "1", Accept: "text/html" }, signal: AbortSignal.timeout(LIMIT_MS) });
    if (answer.status !== 429) return answer;
    await new Promise((done) => setTimeout(done, BUSY_MS)); // more changes a minute than the server takes: it goes on as soon as it may
  }
}

function send(fields, { keepsForm = false } = {}) {
  return inTurn(async () => {
    if (isStale) return;
    tell(desk().dataset.saving);
    const body = new URLSearchParams(fields);
    body.set("csrf", desk().dataset.csrf);
    body.set("saved", desk().dataset.saved);
    body.set("chosen", desk().dataset.chosen);
    const answer = await ask(desk().dataset.address, { method: "POST", body, keepalive: true }); // also when the page is being left
    const page = await answer.text();
    if (answer.status === 409) return told(page);
    if (answer.status !== 200 && answer.status !== 422) throw new Error(`the server answered ${answer.status}`);
    draw(page, keepsForm);
  });
}

function choose(place, more = {}) {
  return inTurn(async () => {
    const asked = new URLSearchParams({ ...(place ? { place } : {}), ...more });
    const answer = await ask(`${desk().dataset.address}?${asked}`);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const page = await answer.text();
    if (more.q !== undefined) return drawPart(parsed(page), `found-${more.field}`);
    draw(page, false);
    history.replaceState(null, "", place ? `?${new URLSearchParams({ place })}` : location.pathname);
    byId("flow-panel").focus({ preventScroll: true });
    if (matchMedia("(max-width: 1199.98px)").matches) byId("flow-panel").scrollIntoView({ block: "start" });
  });
}

// Somebody else saved the draft: nothing of ours is sent any more, what is typed stays where it is.
function told(page) {
  isStale = true;
  byId("flow-conflict").innerHTML = page;
  byId("flow-conflict").scrollIntoView({ block: "nearest" });
  tell("");
}

function tell(text) {
  const state = byId("flow-state");
  if (state) state.textContent = text;
}

// --- drawing what it answers ---------------------------------------------------------------------------------------------

function parsed(page) {
  return new DOMParser().parseFromString(page, "text/html");
}

function draw(page, keepsForm) {
  const fresh = parsed(page);
  const next = fresh.getElementById("flow-desk");
  const focused = describe(document.activeElement);
  const scrolled = scrollOf();
  if (!next || !next.querySelector("#flow-graph") || !byId("flow-graph")) return desk().replaceWith(next);
  Object.assign(desk().dataset, next.dataset);
  for (const id of SVG_PARTS) drawPart(fresh, id);
  if (keepsForm) drawMarks(fresh);
  else drawPart(fresh, "flow-panel");
  scrollTo(scrolled);
  reveal();
  setFocus(focused);
  stopConnecting();
}

function drawPart(fresh, id) {
  const [old, next] = [byId(id), fresh.getElementById(id)];
  if (old && next) old.replaceChildren(...next.childNodes);
}

// What is wrong at each field, and only that: the field itself may be in use.
function drawMarks(fresh) {
  for (const mark of byId("flow-panel").querySelectorAll("[data-mark]")) {
    const next = fresh.querySelector(`#flow-panel [data-mark="${CSS.escape(mark.dataset.mark)}"]`);
    mark.replaceChildren(...(next ? next.childNodes : []));
  }
}

const graph = () => document.querySelector(".flow-graph");
const scrollOf = () => ({ left: graph()?.scrollLeft ?? 0, top: graph()?.scrollTop ?? 0 });
function scrollTo({ left, top }) { graph()?.scroll(left, top); }

// The chosen place is to be seen; the picture stays where it is as long as it can.
function reveal() {
  const box = graph()?.querySelector(".flow-chosen rect")?.getBoundingClientRect();
  if (!box) return;
  const view = graph().getBoundingClientRect();
  if (box.left < view.left || box.right > view.right) graph().scrollLeft += (box.left + box.right - view.left - view.right) / 2;
  if (box.top < view.top || box.bottom > view.bottom) graph().scrollTop += (box.top + box.bottom - view.top - view.bottom) / 2;
}

function describe(element) {
  if (!element || !desk().contains(element)) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.dataset.exit) return `[data-from="${CSS.escape(element.dataset.from)}"][data-exit="${CSS.escape(element.dataset.exit)}"]`;
  if (element.dataset.place !== undefined && element.closest("svg")) return `svg [data-place="${CSS.escape(element.dataset.place)}"]`;
  const form = element.closest("form")?.querySelector("[name=do]")?.value;
  const key = element.closest("form")?.querySelector("[name=key], [name=number]")?.value;
  return element.name && form ? { name: element.name, form, key } : null;
}

function setFocus(described) {
  if (!described) return;
  const named = () => [...document.querySelectorAll(`#flow-panel [name="${CSS.escape(described.name)}"]`)].find((one) => {
    const form = one.closest("form");
    return form?.querySelector("[name=do]")?.value === described.form && form?.querySelector("[name=key], [name=number]")?.value === described.key;
  });
  const element = typeof described === "string" ? document.querySelector(described) : named();
  if (element && element !== document.activeElement) element.focus({ preventScroll: true });
}

// --- forms -----------------------------------------------------------------------------------------------------------------

function changed(event) {
  const form = event.target.closest("form[data-auto]");
  if (!form || !desk().contains(form)) return;
  if (typing && typing !== form) flush();
  typing = form;
  clearTimeout(typingTimer);
  if (event.type === "change") flush(event.target.hasAttribute("data-redraw"));
  else if (!event.target.hasAttribute("data-redraw")) typingTimer = setTimeout(flush, TYPING_MS);
}

function flush(redraws = false) {
  clearTimeout(typingTimer);
  const form = typing;
  typing = null;
  if (form) send(new FormData(form), { keepsForm: redraws !== true });
}

function submitted(event) {
  const form = event.target;
  if (!desk().contains(form)) return;
  event.preventDefault();
  if (typing === form) typing = null;
  else flush();
  if (form.dataset.search) return search(form);
  send(new FormData(form, event.submitter));
  const menu = form.closest(".dropdown-menu");
  if (menu) byId("flow-add").click();
}

let searchTimer = 0;
function search(form) {
  clearTimeout(searchTimer);
  const asked = Object.fromEntries(new FormData(form));
  choose(asked.place, { field: asked.field, q: asked.q });
}

// --- connecting ----------------------------------------------------------------------------------------------------------------

function connect(port) {
  connecting = { place: port.dataset.from, exit: port.dataset.exit };
  port.classList.add("flow-connecting");
  graph().classList.add("flow-choosing");
  byId("flow-hint").textContent = desk().dataset.connecting;
}

function stopConnecting() {
  connecting = null;
  document.querySelector(".flow-connecting")?.classList.remove("flow-connecting");
  graph()?.classList.remove("flow-choosing");
}

function connectTo(place) {
  const exit = connecting;
  stopConnecting();
  flush();
  send({ do: "connect", ...exit, to: place });
}

// --- clicks, keys, dragging ---------------------------------------------------------------------------------------------------------

function clicked(event) {
  const play = event.target.closest("[data-play]");
  if (play) {
    event.preventDefault();
    return new Audio(play.href).play().catch(() => tell(texts.sound_fault));
  }
  if (!desk().contains(event.target)) return undefined;
  const port = event.target.closest("[data-exit]");
  if (port) return connect(port);
  const link = event.target.closest("[data-place]");
  if (!link || event.ctrlKey || event.metaKey) return undefined;
  event.preventDefault();
  if (connecting && link.dataset.place) return connectTo(link.dataset.place);
  flush();
  return choose(link.dataset.place);
}

function pressed(event) {
  if (event.key === "Escape" && connecting) return stopConnecting();
  const port = event.target.closest?.("[data-exit]");
  if (port && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    return connect(port);
  }
  const group = event.target.closest?.(".flow-group");
  const by = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
  if (group && by && event.altKey) {
    event.preventDefault();
    return moveTo(group, Number(group.dataset.x) + by[0], Number(group.dataset.y) + by[1]);
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.target.closest("input, textarea")) {
    event.preventDefault();
    byId(event.shiftKey ? "flow-redo" : "flow-undo")?.click();
  }
  return undefined;
}

function moveTo(group, x, y) {
  const at = { x: String(Math.max(0, Math.round(x))), y: String(Math.max(0, Math.round(y))) };
  send({ do: "move", place: group.querySelector("[data-place]").dataset.place, ...at });
}

function held(event) {
  const group = event.target.closest?.(".flow-group");
  const port = event.target.closest?.(".flow-port");
  if (event.button !== 0 || connecting || !(group || port)) return;
  const isTouch = event.pointerType === "touch";
  if (isTouch && group && !group.querySelector(".flow-chosen")) return; // a finger on another box scrolls
  dragged = { group, port, x: event.clientX, y: event.clientY, moves: false };
}

function dragging(event) {
  if (!dragged) return;
  const [dx, dy] = [event.clientX - dragged.x, event.clientY - dragged.y];
  if (!dragged.moves && Math.hypot(dx, dy) < DRAG_FROM) return;
  dragged.moves = true;
  if (dragged.group) dragged.group.setAttribute("transform", `translate(${dx} ${dy})`);
  else dragged.port.classList.add("flow-connecting");
}

function released(event) {
  const was = dragged;
  dragged = null;
  if (!was?.moves) return;
  window.addEventListener("click", (click) => { click.stopPropagation(); click.preventDefault(); }, { capture: true, once: true });
  setTimeout(() => window.dispatchEvent(new Event("click")), 0); // in case the browser makes none of it
  if (was.group) return moveTo(was.group, Number(was.group.dataset.x) + event.clientX - was.x, Number(was.group.dataset.y) + event.clientY - was.y);
  const target = document.elementFromPoint(event.clientX, event.clientY)?.closest("svg [data-place]");
  was.port.classList.remove("flow-connecting");
  if (!target) return undefined;
  return send({ do: "connect", place: was.port.dataset.from, exit: was.port.dataset.exit, to: target.dataset.place });
}

function cancelled() {
  dragged?.group?.removeAttribute("transform");
  dragged = null;
}

// --- others ------------------------------------------------------------------------------------------------------------------------

async function lookForOthers() {
  if (document.hidden || isStale) return;
  await inTurn(async () => {
    const answer = await fetch(`${desk().dataset.address}/saved`, { signal: AbortSignal.timeout(LIMIT_MS) });
    if (!answer.ok) return;
    const now = await answer.json();
    if (String(now.saved) !== desk().dataset.saved) await learn();
  });
}

async function learn() { // asks for a change that changes nothing, to be told by whom
  const body = new URLSearchParams({ do: "arrange", csrf: desk().dataset.csrf, saved: desk().dataset.saved });
  const answer = await ask(desk().dataset.address, { method: "POST", body });
  if (answer.status === 409) told(await answer.text());
}

if (desk()) {
  document.documentElement.classList.add("flow-scripted");
  reveal();
  document.addEventListener("submit", submitted);
  document.addEventListener("change", changed);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-search]");
    if (!form) return changed(event);
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => search(form), SEARCH_MS);
    return undefined;
  });
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed);
  document.addEventListener("pointerdown", held);
  document.addEventListener("pointermove", dragging);
  document.addEventListener("pointerup", released);
  document.addEventListener("pointercancel", cancelled);
  // touch-action is not heeded within a picture: a finger that drags must not scroll as well
  document.addEventListener("touchmove", (event) => { if (dragged && event.cancelable) event.preventDefault(); }, { passive: false });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.("svg")) event.preventDefault(); });
  window.addEventListener("pagehide", () => flush());
  setInterval(lookForOthers, LOOK_MS);
}
