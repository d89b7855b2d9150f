// The frame: where we are, what is asked of the store, and everything drawn again when it moved.
import { cut, enter, leave, person, token } from "./api.js";
import * as cost from "./cost.js";
import { h, s, show } from "./dom.js";
import * as findings from "./findings.js";
import * as fleet from "./fleet.js";
import * as graph from "./graph.js";
import { help, keys, palette } from "./keys.js";
import * as now_page from "./now.js";
import { sentence } from "./sentence.js";
import { known, line, listen, loud, settled, touch, want } from "./store.js";
import * as timeline from "./timeline.js";
import { clock, count } from "./words.js";

const PAGES = { "/": now_page, "/graph": graph, "/timeline": timeline, "/fleet": fleet, "/cost": cost, "/findings": findings };
const KEYS = { "/": "n", "/graph": "g", "/timeline": "t", "/fleet": "f", "/cost": "c", "/findings": "i" };
const ICONS = {
  "/": "M1.5 8.5h3l2-5 3 9 2-4h3",
  "/graph": "M3 4.5h3v3H3zM10 2h3v3h-3zM10 10h3v3h-3zM6 6h2.5V3.500H10M8.500 6v5.500H10",
  "/timeline": "M2 4h6M5 8h8M3 12h5",
  "/fleet": "M2.500 2.500h4v4h-4zM9.500 2.500h4v4h-4zM2.500 9.500h4v4h-4zM9.500 9.500h4v4h-4z",
  "/cost": "M2.500 13.500V9h2.500v4.500zM6.750 13.500V5.500h2.500v8zM11 13.500V2.500h2.500v11z",
  "/findings": "M4 14V2.500M4 3h8.500l-2 3 2 3H4",
};
const TICK_MS = 10_000;
const TOAST_MS = 5000;
const REST_MS = 100;

const find = (id) => document.getElementById(id);
const page_of = () => PAGES[location.pathname] ?? now_page;
const params = () => new URLSearchParams(location.search);

let over = null; // what lies above the page: the palette or the help
let from = null; // where the focus was before it
let toast = null;
let toast_timer = 0;
let asked = false;
let waiting = 0;
let drawn_ms = -Infinity;

/** To a page: `query` is what the URL holds of selection and filters. */
export function go(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  const url = text ? `${path}?${text}` : path;
  if (url !== location.pathname + location.search) history.pushState(null, "", url);
  arrive();
}

function arrive() {
  over = null;
  const page = page_of();
  want(page.needs, soon);
  document.title = `${page.title} · swarm`;
  draw();
}

/** Draw what moved: many changes at once are one drawing, and there are ten a second at most. */
function soon() {
  waiting ||= setTimeout(() => { waiting = 0; again(); }, Math.max(0, drawn_ms + REST_MS - performance.now()));
}

/** Draw when the browser next does. */
function again() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    drawn_ms = performance.now();
    draw();
  });
}

function say(words, tone) {
  toast = { words, tone };
  clearTimeout(toast_timer);
  toast_timer = setTimeout(() => { toast = null; again(); }, TOAST_MS);
  again();
}

const context = () => ({ params: params(), go, say, again });

function draw() {
  if (!token() || line.refused) return door();
  const page = page_of();
  const told = sentence();
  document.body.className = page.wide ? "wide" : "";
  show(find("top"), ...top());
  find("status").className = told.tone;
  show(find("status"), h("p", {}, told.words));
  show(find("rail"), ...rail());
  show(find("page"), h("h1.unseen", {}, page.title), ...page.draw(context()));
  page.after?.(context());
  const details = page.drawer?.(context());
  find("drawer").hidden = !details;
  show(find("drawer"), details ? h("button.close", { "aria-label": "Close", onclick: close }, "✕") : null, ...(details ?? []));
  for (const part of ["top", "status", "rail", "page", "drawer"]) find(part).inert = over !== null; // Tab stays above
  show(find("over"), over ? over() : null, toast ? h("p.toast", { class: toast.tone ?? "ok", role: "alert" }, toast.words) : null);
}

function top() {
  const status = known("status");
  const counts = status ? `${count(Object.keys(status.pipelines).length, "orchestrator")} · ${count(Object.values(status.pipelines).reduce((a, b) => a + b, 0), "pipeline")} · ${count(status.undeclared, "implicit dependency", "implicit dependencies")}` : "";
  return [
    h("a.brand", { href: "/" }, s("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" },
      s("path", { d: "M4 4.500 11.500 8 4 11.500" }), s("circle", { cx: 3.5, cy: 4, r: 2 }), s("circle", { cx: 12.5, cy: 8, r: 2 }), s("circle", { cx: 3.5, cy: 12, r: 2 })), "swarm"),
    h("button.search", { onclick: () => open(palette) }, "Search or command", h("kbd", {}, "/")),
    h("span.grow", {}),
    h("span.muted.counts", {}, counts),
    h("span.live", { class: line.live ? "on" : "off" }, line.live ? "live" : line.since ? `offline since ${clock(line.since)}` : "connecting"),
    h("button.quiet", { onclick: () => { leave(); location.reload(); }, title: person() ? `${person()}: forget the token` : "forget the token" }, "leave"),
  ];
}

function rail() {
  const open_findings = loud()?.length;
  return Object.entries(PAGES).map(([path, page]) =>
    h("a", { href: path, "aria-current": page_of() === page ? "page" : null, title: `g ${KEYS[path]}` },
      s("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: ICONS[path] })), h("span", {}, page.title),
      page === findings && open_findings ? h("span.number.muted.right", {}, open_findings) : null));
}

/** Where somebody without a token comes in. */
function door() {
  document.body.className = "door";
  for (const id of ["top", "status", "rail", "drawer"]) show(find(id));
  find("drawer").hidden = true;
  const submit = (event) => {
    event.preventDefault();
    const { token: secret, who } = event.target.elements;
    enter(secret.value, who.value);
    line.refused = null;
    begin();
  };
  show(find("page"), h("form.door", { onsubmit: submit },
    h("h1", {}, "swarm"),
    h("p.muted", {}, h("code", {}, "swarm up"), " printed where its token is. It stays in this tab, and goes with it."),
    line.refused ? h("p.failed", { role: "alert" }, line.refused.message) : null,
    h("label", {}, "Token", h("input", { name: "token", type: "password", autocomplete: "off", required: true, autofocus: true })),
    h("label", {}, "Your name, for verdicts and releases", h("input", { name: "who", autocomplete: "username", required: true, maxlength: 200, value: person() })),
    h("button.main", {}, "Look")));
  show(find("over"));
}

function close() {
  const next = params();
  for (const name of ["edge", "node", "task"]) next.delete(name);
  go(location.pathname, next);
}

function open(what) {
  from ??= document.activeElement;
  over = what({ go, close: shut, again: draw });
  draw();
  find("over").querySelector("input, button")?.focus();
}

function shut() {
  over = null;
  draw();
  from?.focus();
  from = null;
}

async function begin() {
  draw();
  await listen();
  arrive();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/']");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const url = new URL(link.href);
  go(url.pathname, url.searchParams);
});
addEventListener("popstate", arrive);
document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); });
keys({
  go,
  pages: Object.fromEntries(Object.entries(KEYS).map(([path, key]) => [key, path])),
  palette: () => open(palette),
  help: () => open(help),
  escape: () => { if (over) shut(); else if (!find("drawer").hidden) close(); },
});
setInterval(() => { if (!document.hidden && token()) again(); }, TICK_MS);
if (token()) begin();
else draw();
globalThis.swarm = { drawn: graph.drawn, settled, touch, cut }; // for tests and the curious
