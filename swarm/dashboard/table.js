// Tables that stay tables: sorted by a click on a heading, and taken along as CSV.
import { h } from "./dom.js";

const KEPT_MS = 10_000; // after which the browser has read what is saved
const FORMULA = /^[=+\-@\t\r]/; // text that a spreadsheet would run

/**
 * `columns`: {name, of(row) -> a value to sort by and to save, cell(row) -> what is shown (the value
 * where it is left out), number: it stands on the right}; without `of` it is shown only. The URL
 * holds the order as `sort`: `name.column`, the greatest first after a `-`. `most` rows are shown,
 * all are saved.
 */
export function table(name, columns, rows, { params, go, key, row = () => ({}), most = Infinity, caption = null }) {
  const order = order_of(name, columns, params);
  const sorted = order ? rows.toSorted(by(columns[order.at].of, order.down)) : rows;
  const heading = (column, at) => h("th", { scope: "col", class: column.number ? "number" : "", "aria-sort": order?.at === at ? (order.down ? "descending" : "ascending") : null },
    column.of && column.name ? h("button.sort", { onclick: () => turn(name, at, column, order, params, go) }, column.name, order?.at === at ? h("span", { "aria-hidden": "true" }, order.down ? " ↓" : " ↑") : null) : column.name);
  return h("div.tabled", { key: `table ${name}` }, h("button.quiet.csv", { onclick: () => save(name, columns, sorted), title: `${name} as CSV` }, "CSV"), h("div.scroll", {}, h("table", {},
    caption ? h("caption.muted", {}, caption) : null,
    h("thead", {}, h("tr", {}, columns.map(heading))),
    h("tbody", {}, sorted.slice(0, most).map((one) => h("tr", { key: key(one), "data-row": true, ...row(one) },
      columns.map((column) => h(column.number ? "td.number" : "td", {}, column.cell ? column.cell(one) : column.of(one)))))))));
}

function order_of(name, columns, params) {
  const asked = params.get("sort") ?? "";
  const down = asked.startsWith("-");
  const cut = asked.lastIndexOf(".");
  const at = Number(asked.slice(cut + 1));
  return asked.slice(down ? 1 : 0, cut) === name && cut > 0 && columns[at]?.of ? { at, down } : null;
}

/** The first click puts names from a to z and numbers the greatest first, the second turns it, the third leaves it. */
function turn(name, at, column, order, params, go) {
  const first = Boolean(column.number);
  const next = new URLSearchParams(params);
  if (order?.at === at && order.down !== first) next.delete("sort");
  else {
    const down = order?.at === at ? !first : first;
    next.set("sort", `${down ? "-" : ""}${name}.${at}`);
  }
  go(location.pathname, next);
}

/** What has no value comes last, whichever way. */
function by(of, down) {
  return (one, other) => {
    const [a, b] = [of(one) ?? null, of(other) ?? null];
    if (a === null || b === null) return (a === null) - (b === null);
    const less = typeof a === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
    return down ? -less : less;
  };
}

function save(name, columns, rows) {
  const saved = columns.filter((column) => column.of);
  const lines = [saved.map((column) => column.file ?? column.name), ...rows.map((one) => saved.map((column) => column.of(one)))];
  const text = lines.map((line) => line.map(quoted).join(",")).join("\n");
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv" }));
  h("a", { href: url, download: `swarm-${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

function quoted(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
