// Cost: what the nodes cost and whose it was, beside what it would have been elsewise.
import { h, s } from "./dom.js";
import { known, problem } from "./store.js";
import { table } from "./table.js";
import { count, percent, pipeline } from "./words.js";

export const needs = ["cost"];
export const title = "Cost";

const BAND = [0.7, 0.8]; // of the nodes' time: below it much is idle, above it little is spare
const SHOWN = 100;
const WHOSE = { pipeline: "Pipelines", team: "Teams" };

const usd = (amount) => `${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: amount && amount < 1 ? 4 : 2 })} USD`;
const node_hours = (n) => `${n.toLocaleString("en", { maximumFractionDigits: 1 })} h`;

export function draw({ params, go }) {
  const cost = known("cost");
  if (!cost) return [h("p.empty", {}, problem("cost")?.message ?? "Reading costs from swarm …")];
  const by = params.get("by") === "team" ? "team" : "pipeline";
  const all = cost[by];
  if (!all.days.length) return [h("div.empty", {}, h("p", {}, "No node has worked for swarm in these 30 days."), h("p.muted", {}, "What workers of swarm run is metered from their first to their last; ", h("code", {}, "swarm cost --baseline"), " prices a fleet that stands without it."))];
  return [
    h("p.lead", {}, lead(all)),
    unpriced(all),
    h("div.fleet", {},
      h("div", {}, today(all.days), section("By day", days(all.days, { params, go })), section(WHOSE[by], whose(all, by, { params, go }))),
      h("div", {}, section("Utilisation", utilisation(all.days)), section("Beside it", beside(all)), section("Nodes", kinds(all, { params, go })))),
  ];
}

const section = (name, ...body) => h("section", { "aria-label": name }, h("h2", {}, name), ...body);

function lead(all) {
  const hours = all.days.reduce((sum, day) => sum + day.node_h, 0);
  const saved = all.static_usd ? `, ${percent(Math.max(0, 1 - all.bill_usd / all.static_usd))} less than the fleet of its peak, all the time` : "";
  return `${usd(all.bill_usd)} in 30 days for ${node_hours(hours)} of nodes, ${percent(all.utilisation)} of them at work${saved}.`;
}

/** Today beside what it would have been elsewise; nothing where no node of a known price was there. */
function today(list) {
  const day = list.at(-1);
  if (day.day !== new Date().toISOString().slice(0, 10) || !day.static_usd) return null;
  const saved = day.static_usd - day.bill_usd;
  const words = saved >= 0 ? `Saved ${usd(saved)} (${percent(saved / day.static_usd)})` : `${usd(-saved)} more than it`;
  return section("Today", h("p", {}, `${words} since 00:00 UTC, against the fleet of the peak all the time.`),
    bars([["the bill", day.bill_usd], ["the same nodes on demand", day.ondemand_usd], ["the fleet of the peak, all the time", day.static_usd]]));
}

function unpriced(all) {
  const pools = all.unpriced.map((one) => h("li", {}, `${node_hours(one.node_h)} ${one.capacity === "spot" ? "spot" : "dedicated"} of pool `, h("code", {}, one.pool || '""')));
  if (!pools.length && !all.notes.length) return null;
  return h("div.empty", {},
    pools.length ? [h("p", {}, "Nobody told what these cost, so they are in no sum; name their pool under ", h("code", {}, "prices"), " in the settings:"), h("ul.plain", {}, pools)] : null,
    all.notes.map((note) => h("p.muted", {}, `Spot counts as on demand where the market could not be asked: ${note}`)));
}

const money = (name, of, file) => ({ name, of, file, number: true, cell: (row) => usd(of(row)) });
const DAYS = [
  { name: "Day (UTC)", of: (day) => day.day },
  money("Bill", (day) => day.bill_usd, "bill_usd"), money("Idle", (day) => day.idle_usd, "idle_usd"), money("On demand", (day) => day.ondemand_usd, "ondemand_usd"), money("Peak fleet", (day) => day.static_usd, "static_usd"),
  { name: "At work", file: "utilisation", number: true, of: (day) => (day.node_h ? day.utilisation : null), cell: (day) => (day.node_h ? percent(day.utilisation) : "–") },
];

/** A bar a day: work below, idle above it, and behind both what a fleet that stands had cost. */
function days(list, context) {
  const most = Math.max(...list.flatMap((day) => [day.bill_usd, day.static_usd, day.ondemand_usd]), 1e-9);
  const wide = 100 / list.length;
  const bar = (kind, at, from, height, words) => s("rect", { class: kind, x: at * wide + wide * 0.15, y: 40 - ((from + height) / most) * 40, width: wide * 0.7, height: (height / most) * 40 }, s("title", {}, words));
  const bars = list.map((day, at) => [
    bar("static", at, 0, day.static_usd, `${day.day}: ${usd(day.static_usd)} as the fleet of the peak`),
    bar("work", at, 0, day.bill_usd - day.idle_usd, `${day.day}: ${usd(day.bill_usd - day.idle_usd)} at work`),
    bar("idle", at, day.bill_usd - day.idle_usd, day.idle_usd, `${day.day}: ${usd(day.idle_usd)} idle`),
  ]);
  return [
    h("p.muted.legend", {}, h("span.swatch.work", {}), "at work ", h("span.swatch.idle", {}), "idle ", h("span.swatch.static", {}), "the fleet of the peak, all the time"),
    s("svg.days", { viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": "Cost by day, beside a fleet that stands" }, bars),
    h("p.axis.muted", {}, h("span", {}, list[0].day), list.length > 1 ? h("span", {}, list.at(-1).day) : null),
    h("details", { key: "days" }, h("summary", {}, "As a table"), table("days", DAYS, list.toReversed(), { ...context, key: (day) => day.day })),
  ];
}

function utilisation(list) {
  const there = list.filter((day) => day.node_h);
  const [low, high] = BAND;
  const within = there.filter((day) => day.utilisation >= low && day.utilisation <= high).length;
  const wide = 100 / list.length;
  return [
    s("svg.days", { viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": "Share of the nodes' time at work, by day" },
      s("rect", { class: "band", x: 0, y: 40 - high * 40, width: 100, height: (high - low) * 40 }),
      list.map((day, at) => (day.node_h ? s("rect", { class: "work", x: at * wide + wide * 0.15, y: 40 - day.utilisation * 40, width: wide * 0.7, height: day.utilisation * 40 }, s("title", {}, `${day.day}: ${percent(day.utilisation)}`)) : null))),
    h("p.muted", {}, `${within} of ${count(there.length, "day")} within the band of 70 to 80 %: below it nodes wait for work, above it work waits for nodes.`),
  ];
}

function beside(all) {
  return bars([["the bill", all.bill_usd], ["of it idle", all.idle_usd], ["of it tries that failed or were lost", all.retry_usd], ["the same nodes on demand", all.ondemand_usd], ["the fleet of the peak, all the time", all.static_usd]]);
}

const bar = (amount, most) => s("svg.bar-of", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect.bar", { x: 0, y: 1, width: Math.max(0.5, (amount / most) * 100), height: 6 }));

function bars(rows) {
  const most = Math.max(...rows.map(([, amount]) => amount), 1e-9);
  return h("table.bars", {}, h("tbody", {}, rows.map(([name, amount]) => h("tr", {},
    h("th", { scope: "row" }, name), h("td", {}, bar(amount, most)), h("td.number", {}, usd(amount))))));
}

function whose(all, by, context) {
  const tabs = Object.entries(WHOSE).map(([name, words]) => h("a.chip.button", { href: `/cost?by=${name}`, "aria-current": name === by ? "true" : null }, words));
  const most = Math.max(...all.rows.map((row) => row.usd), 1e-9);
  const columns = [
    { name: by === "team" ? "Team" : "Pipeline", of: (row) => row.name, cell: (row) => (row.name ? (by === "pipeline" ? pipeline(row.name) : row.name) : `of no ${by}`) },
    { name: "", cell: (row) => bar(row.usd, most) },
    money("Cost", (row) => row.usd, "usd"), money("In vain", (row) => row.retry_usd, "retry_usd"),
    { name: "Slots", file: "slot_h", number: true, of: (row) => row.slot_h, cell: (row) => node_hours(row.slot_h) },
  ];
  const rest = Math.max(0, all.rows.length - SHOWN) + all.left_out;
  return [h("p.legend", {}, tabs),
    all.rows.length ? table(by, columns, all.rows, { ...context, key: (row) => `of ${row.name}`, most: SHOWN }) : h("p.empty.muted", {}, "Nothing ran."),
    rest ? h("p.muted", {}, `and ${rest} more: `, h("code", {}, `swarm cost --by ${by} -o csv`)) : null];
}

function kinds(all, context) {
  if (!all.kinds.length) return h("p.empty.muted", {}, "None has a price.");
  const columns = [
    { name: "Type", of: (one) => one.type, cell: (one) => one.type || "–" },
    { name: "Class", of: (one) => (one.capacity === "spot" ? "spot" : "dedicated") },
    { name: "Hours", file: "node_h", number: true, of: (one) => one.node_h, cell: (one) => node_hours(one.node_h) },
    money("Cost", (one) => one.usd, "usd"),
  ];
  return table("nodes", columns, all.kinds, { ...context, key: (one) => `${one.type} ${one.capacity}` });
}
