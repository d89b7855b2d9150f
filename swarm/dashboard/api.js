// The public API, and nothing else: a token in a header, problems as errors, events by streaming.

const ROOT = "/api/v1/";
const TOKEN = "swarm.token";
const NAME = "swarm.name";
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 5000;
const SILENT_MS = 40_000;

export const token = () => sessionStorage.getItem(TOKEN) ?? "";
export const person = () => sessionStorage.getItem(NAME) ?? "";

export function enter(secret, name) {
  sessionStorage.setItem(TOKEN, secret.trim());
  sessionStorage.setItem(NAME, name.trim());
}

export function leave() {
  sessionStorage.removeItem(TOKEN);
}

/** What the API refused, in its own words; `status` 0: it did not answer. */
export class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

async function request(path, options = {}) {
  const headers = { Authorization: `Bearer ${token()}`, ...options.headers };
  try {
    return await fetch(ROOT + path, { cache: "no-store", ...options, headers });
  } catch (error) {
    throw new Problem(0, "offline", "swarm does not answer");
  }
}

async function refused(answer) {
  const told = await answer.json().catch(() => ({}));
  return new Problem(answer.status, told.code ?? "http", told.detail ?? `HTTP ${answer.status}`);
}

export async function get(path, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== undefined && v !== ""));
  const answer = await request(query.size ? `${path}?${query}` : path);
  if (!answer.ok) throw await refused(answer);
  return answer.json();
}

const before = new Map(); // path -> the last answer, of what is read again and again

/** As `get`; what is as it was is not sent again, and is the same value again. */
export async function reread(path) {
  const last = before.get(path);
  const answer = await request(path, last ? { headers: { "If-None-Match": last.tag } } : {});
  if (answer.status === 304) return last.value;
  if (!answer.ok) throw await refused(answer);
  const value = await answer.json();
  const tag = answer.headers.get("ETag");
  if (tag) before.set(path, { tag, value });
  return value;
}

/** All items of a paged answer, up to `most`. */
export async function all(path, params = {}, most = 5000) {
  const items = [];
  let cursor;
  do {
    const page = await get(path, { ...params, limit: 1000, cursor });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}

export async function post(path, body) {
  const answer = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw await refused(answer);
  return answer.json().catch(() => null);
}

let line = null;

/** Cut the line, as a network does; it is taken up again. */
export const cut = () => line?.abort();

/**
 * Follow the events for ever. `heard(event)` for each; `turned(live, problem)` as the line goes and
 * comes; `anew()` where events may have been missed. Resumes with the last id it has seen.
 */
export async function follow({ from, heard, turned, anew }) {
  let id = from ?? "";
  let wait = FIRST_WAIT_MS;
  for (;;) {
    try {
      const answer = await request("events", { signal: (line = new AbortController()).signal, headers: id === "" ? {} : { "Last-Event-ID": String(id) } });
      if (answer.status === 410) {
        id = "";
        anew();
        continue;
      }
      if (!answer.ok) throw await refused(answer);
      turned(true);
      for await (const event of blocks(answer.body)) {
        wait = FIRST_WAIT_MS;
        if (event.id) id = event.id;
        if (event.event === "resync") {
          id = "";
          anew();
          break;
        }
        if (event.data) heard(JSON.parse(event.data));
      }
    } catch (error) {
      turned(false, error);
      if (error.status === 401) return;
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
    await new Promise((done) => setTimeout(done, wait));
  }
}

async function* blocks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const dead = setTimeout(cut, SILENT_MS); // signs of life come more often than that
    const { value, done } = await reader.read().finally(() => clearTimeout(dead));
    if (done) return;
    text += value;
    const whole = text.split("\n\n");
    text = whole.pop();
    for (const one of whole) {
      const fields = one.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
      yield Object.fromEntries(fields);
    }
  }
}
