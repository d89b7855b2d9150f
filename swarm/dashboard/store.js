// What the pages show: answers of the API, read again when an event says that they moved.
import { all, follow, get, reread } from "./api.js";
import { now } from "./words.js";

const HOUR_S = 3600;
const FEED_MOST = 400;
const RETRY_MS = 4000;
const READY_MS = 500;
const LEISURE = 4;

// By name: how it is read, the kinds of events that move it, and how long at least between two reads.
const SOURCES = {
  status: { read: () => reread("status"), kinds: ["source", "dependency", "finding", "unresolved", "pipeline", "quarantine"], rest: 500 },
  slas: { read: () => reread("slas"), kinds: ["sla"], rest: 250 },
  decisions: { read: () => reread("decisions"), kinds: ["decision"], rest: 250 },
  waited: { read: () => get("decisions/waited", { since_s: Math.floor(now() / HOUR_S - 24) * HOUR_S }), kinds: ["decision"], rest: 1000 },
  links: { read: () => reread("links"), kinds: ["link", "run"], rest: 2000 },
  findings: { read: () => all("findings"), kinds: ["finding"], rest: 300 },
  score: { read: () => reread("findings/score"), kinds: ["finding"], rest: 2000 },
  graph: { read: () => reread("graph"), kinds: ["pipeline", "dependency"], rest: 700 },
  last_runs: { read: () => all("runs", { newest: true }, 20000), kinds: ["run"], rest: 300 },
  hour: { read: () => all("runs", { since_s: now() - 2 * HOUR_S }, 3000), kinds: ["run"], rest: 1000 },
  day: { read: () => all("runs", { since_s: now() - 24 * HOUR_S }, 5000), kinds: ["run"], rest: 1500 },
  durations: { read: () => get("durations"), kinds: [], rest: 60_000 },
  ahead: { read: () => get("ahead"), kinds: [], rest: 60_000 },
  workers: { read: () => reread("workers"), kinds: ["worker", "task"], rest: 300 },
  losses: { read: () => reread("losses"), kinds: ["task", "worker"], rest: 1500 },
  foreign: { read: () => reread("foreign-workers"), kinds: ["foreign_worker"], rest: 300 },
  queued: { read: () => get("tasks", { state: "queued", limit: 200 }), kinds: ["task"], rest: 700 },
  rates: { read: () => get("cost", { from_s: Math.floor(now()), limit: 1 }), kinds: ["worker"], rest: 5_000 },
  minutes: { read: () => get("cost/minutes"), kinds: ["worker"], rest: 15_000 },
  cost: { read: costs, kinds: ["task", "worker"], rest: 30_000 },
  lost: { read: () => get("tasks", { state: "lost", limit: 200 }), kinds: ["task"], rest: 700 },
};

/** Of the last 30 days, by pipeline and by team. */
async function costs() {
  const [pipeline, team] = await Promise.all(["pipeline", "team"].map((by) => get("cost", { by, days: 30 })));
  return { pipeline, team };
}

const state = Object.fromEntries(Object.keys(SOURCES).map((name) => [name, { value: null, problem: null, at: 0, stale: true, busy: false, timer: 0, ended: -Infinity, took: 0 }]));

export const line = { live: false, since: null, refused: null };
export const feed = [];
let wanted = new Set(["status"]);
let changed = () => {};

/** The answer, or null while it was never read. */
export const known = (name) => state[name].value;

/** The findings that people are told of: all but those that somebody muted; null where they were never read. */
export const loud = () => known("findings")?.filter((one) => !is_muted(one)) ?? null;
export const is_muted = (one) => Boolean(one.mute) && (one.mute.until_s === null || one.mute.until_s > now());
export const problem = (name) => state[name].problem;

/** From when the oldest is that is shown; 0 where nothing was read yet. */
export const read_at = () => Math.min(...[...wanted].map((name) => state[name].at).filter(Boolean), now());

/** What could not be read of what the page needs, though swarm answers. */
export const trouble = () => [...wanted].map((name) => state[name].problem).find((one) => one?.status);

/** Whether all that the page needs is read, and nothing of it has moved since. */
export const settled = () => [...wanted].every((name) => state[name].value !== null && !state[name].busy && !state[name].stale);

/** What the page needs from now on; `tell` is called when any of it moved. */
export function want(names, tell) {
  wanted = new Set(["status", "slas", "findings", ...names]);
  changed = tell;
  for (const name of wanted) if (state[name].stale) load(name);
}

export function touch(...names) {
  for (const name of names) {
    state[name].stale = true;
    if (wanted.has(name)) load(name);
  }
}

/** Read again what was read longer ago than so many seconds. */
export function freshen(name, age_s) {
  if (state[name].at && !state[name].stale && now() - state[name].at > age_s) touch(name);
}

async function load(name) {
  const one = state[name];
  if (one.busy || one.timer) return;
  // What takes long to read is read less often.
  const rest = Math.max(SOURCES[name].rest, LEISURE * one.took) - (performance.now() - one.ended);
  if (rest > 0) {
    one.timer = setTimeout(() => { one.timer = 0; load(name); }, rest);
    return;
  }
  const begun = performance.now();
  one.busy = true;
  one.stale = false;
  try {
    one.value = await SOURCES[name].read();
    one.problem = null;
    one.at = now();
  } catch (error) {
    one.problem = error;
    one.stale = true;
    if (error.status === 401) line.refused = error;
    else one.timer = setTimeout(() => { one.timer = 0; touch(name); }, RETRY_MS);
  }
  one.ended = performance.now();
  one.took = one.ended - begun;
  one.busy = false;
  if (wanted.has(name)) changed(name);
  if (one.stale && !one.problem && wanted.has(name)) load(name);
}

/** Where the log stands, once swarm has read its journal; undefined where it does not say. */
async function place() {
  for (;;) {
    try {
      return (await get("readyz")).seq;
    } catch (error) {
      if (error.status !== 503) return undefined;
      await new Promise((done) => setTimeout(done, READY_MS));
    }
  }
}

/**
 * Begin to listen, a little before now: what has just happened is of interest. What is read after
 * this has come back lacks nothing of before.
 */
export async function listen() {
  line.refused = null;
  const begun = await place();
  const from = begun === undefined ? undefined : Math.max(0, begun - FEED_MOST);
  follow({
    from,
    heard(event) {
      feed.unshift(event);
      if (feed.length > FEED_MOST) feed.pop();
      // What happened before the first read is in it already.
      if (event.seq <= (begun ?? 0)) return changed("feed");
      touch(...Object.keys(SOURCES).filter((name) => SOURCES[name].kinds.includes(event.kind)));
      changed("feed");
    },
    turned(live, error) {
      if (error?.status === 401) line.refused = error;
      if (live && !line.live && line.since) touch(...Object.keys(SOURCES));
      if (live) for (const name of wanted) if (state[name].problem) touch(name);
      line.since = live ? null : (line.since ?? now());
      line.live = live;
      changed("line");
    },
    anew: () => touch(...Object.keys(SOURCES)),
  });
}
