// Hands on the keyboard: `g n` to a page, j and k along what is listed, `/` to anything by name.
import { h } from "./dom.js";
import { indexed } from "./model.js";
import { known } from "./store.js";
import { mark, said } from "./words.js";

const FOUND = 12;

const HELP = [
  ["/", "search pipelines and findings, or go anywhere"], ["g n", "Now"], ["g g", "Graph"], ["g t", "Timeline"], ["g f", "Fleet"], ["g c", "Cost"], ["g i", "Findings"],
  ["j  k", "next and previous in a list"], ["Enter  .", "open it: why it is so"], ["a", "accept the dependency shown"], ["x", "reject it"], ["u  d", "the finding shown was right to tell, or wrong"], ["m", "mute it for a week"],
  ["t", "graph as a table and back"], ["+  −  0", "zoom and fit the graph"], ["Esc", "close"], ["?", "these keys"],
];

/** Listen to keys; typing in a field is left alone. */
export function keys({ go, pages, palette, help, escape }) {
  let after_g = false; // the next key names a page, however long it takes
  document.addEventListener("keydown", (event) => {
    if (event.key === "Shift") return;
    const second = after_g;
    after_g = false;
    if (event.key === "Escape") return escape();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input:not([type=range]), select, textarea, dialog")) return;
    if (second && pages[event.key]) { event.preventDefault(); return go(pages[event.key]); }
    const acts = { "/": palette, "?": help, g: () => { after_g = true; }, j: () => step(1), k: () => step(-1), ".": open_row, Enter: () => (event.target.matches("[data-row]") ? open_row() : null) };
    const hot = document.querySelector(`[data-hot="${CSS.escape(event.key)}"]:not([disabled])`);
    if (acts[event.key]) {
      if (event.key !== "Enter") event.preventDefault();
      acts[event.key]();
    } else if (hot) hot.click();
  });
}

function rows() {
  return [...document.querySelectorAll("#page [data-row]")];
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const to = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

function open_row() {
  const row = document.activeElement?.closest("[data-row]");
  (row?.querySelector("[data-open]") ?? row?.querySelector("a"))?.click();
}

/** The keys, as a dialog. */
export function help({ close }) {
  return () => h("div.shade", { onclick: (event) => { if (event.target === event.currentTarget) close(); } },
    h("dialog", { open: true, "aria-label": "Keys" }, h("h2", {}, "Keys"),
      h("dl.keys", {}, HELP.map(([key, what]) => [h("dt", {}, key.split("  ").map((one) => h("kbd", {}, one))), h("dd", {}, what)])),
      h("button", { onclick: close }, "Close")));
}

/** Search: pages, pipelines, findings. */
export function palette({ go, close, again }) {
  let text = "";
  let at = 0;
  const found = () => search(text);
  const act = (entry) => { close(); go(...entry.to); };
  const move = (event) => {
    const list = found();
    if (event.key === "ArrowDown") at = Math.min(list.length - 1, at + 1);
    else if (event.key === "ArrowUp") at = Math.max(0, at - 1);
    else if (event.key === "Enter" && list[at]) return act(list[at]);
    else return;
    event.preventDefault();
    again();
  };
  return () => h("div.shade", { onclick: (event) => { if (event.target === event.currentTarget) close(); } },
    h("dialog.palette", { open: true, "aria-label": "Search or command" },
      h("input", { "aria-label": "Search", placeholder: "a pipeline, a finding, a page, or a selector: +name+2", autocomplete: "off", spellcheck: "false", role: "combobox", "aria-expanded": "true", "aria-controls": "found", "aria-activedescendant": `found-${at}`,
        oninput: (event) => { text = event.target.value; at = 0; again(); }, onkeydown: move }),
      h("ul", { id: "found", role: "listbox" }, found().map((entry, number) =>
        h("li", { id: `found-${number}`, role: "option", "aria-selected": String(number === at), onclick: () => act(entry) }, entry.mark ? mark(entry.mark) : h("span.mark", {}, "›"), h("span", {}, entry.label), h("span.muted.right", {}, entry.what))))));
}

const PAGES = [["Now", "/"], ["Graph", "/graph"], ["Timeline", "/timeline"], ["Fleet", "/fleet"], ["Cost", "/cost"], ["Findings", "/findings"]];

function search(text) {
  const low = text.trim().toLowerCase();
  const pages = PAGES.filter(([name]) => name.toLowerCase().includes(low)).map(([name, path]) => ({ label: name, what: "page", to: [path] }));
  if (!low) return pages;
  const index = indexed();
  const near = [];
  for (let at = 0; index && at < index.size; at++) {
    const place = index.full[at].toLowerCase().indexOf(low);
    if (place >= 0) near.push({ rank: (index.name[at].toLowerCase() === low ? -1000 : 0) + place + index.full[at].length / 100, at });
  }
  const pipelines = near.sort((a, b) => a.rank - b.rank).slice(0, FOUND)
    .map(({ at }) => ({ label: index.name[at], mark: index.orchestrator[at], what: "pipeline", to: ["/graph", { s: `2+${index.full[at]}+2`, node: index.full[at] }] }));
  const open = (known("findings") ?? []).filter((one) => one.subject.toLowerCase().includes(low)).slice(0, 4)
    .map((one) => ({ label: one.subject, what: said(one.kind), to: ["/findings", { open: one.id }] }));
  const selector = { label: `Show ${text.trim()} in the graph`, what: "selector", to: ["/graph", { s: text.trim() }] };
  return [...pages, ...pipelines, ...open, selector].slice(0, FOUND);
}
