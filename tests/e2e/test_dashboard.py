"""The dashboard in a real browser, on the real API over real records, without Ray.

Whatever a page does, the browser's console stays empty; hostile names stay text.
"""

import contextlib
import csv
import io
import re
import time
from pathlib import Path

import httpx2 as httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, expect

from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, RunState
from swarm.model.sequencing import FindingRated
from swarm.model.work import Needs, Resources, Submission, TaskId
from swarm.store.journal import open_journal
from tests.e2e.conftest import PATIENCE_MS
from tests.e2e.dashboard_world import HOSTILE, TOKEN, served
from tests.e2e.test_up import eventually
from tests.unit.api.test_long_names import NAMES, event

CROWD = 10_000
SAID = {
    "/": [
        "At risk",
        "waits for",
        "Held and waiting",
        "Failing",
        "Last 60 minutes",
        "returns",
        "Fleet now",
        "24 slots",
        "of 3 workers",
        "20 (83 %)",
        "no task waits",
        "USD/h",
    ],
    "/graph": ["declared", "implicit", "As a table"],
    "/timeline": ["finance_close", "pipelines ran"],
    "/fleet": [
        "node-0",
        "worker-3",
        "query history",
        "Detection",
        "load-8 moved to worker-3 after",
        "worker-1: its process ended, seen within",
        "tasks moved to worker-3 within",
        "Losses seen after: p50",
        "Tasks moved after: p50",
        "false alarms in",
    ],
    "/cost": [
        "USD in 30 days",
        "finance_close",
        "0.15 USD",
        "In vain",
        "0.075 USD",
        "Saved",
        "15 h spot of pool new",
    ],
    "/findings": ["Remedy", "is paused", "no orchestrator knows", "Owner: web"],
}


# What Web Content Accessibility Guidelines 2.2 ask for at levels A and AA, as far as axe can tell.
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# The share of points of the drawing that are not as when the scene is painted in one go.
UNLIKE = """async () => {
  const { boxes, lines, colours } = await import("/assets/paint.js");
  const { scene, view } = swarm.drawn();
  const shown = document.querySelector("#stage canvas");
  const sheet = () => new OffscreenCanvas(shown.width, shown.height)
    .getContext("2d", { willReadFrequently: true });
  const [copy, pen] = [sheet(), sheet()];
  copy.drawImage(shown, 0, 0);
  pen.setTransform(view.scale, 0, 0, view.scale, Math.round(view.x), Math.round(view.y));
  const all = { left: -1e9, top: -1e9, right: 1e9, bottom: 1e9 };
  lines(pen, scene, all, view.scale, colours(), null, 0);
  boxes(pen, scene, all, view.scale, colours(), null);
  const points = (from) => from.getImageData(0, 0, shown.width, shown.height).data;
  const [one, other] = [points(copy), points(pen)];
  let [unlike, drawn] = [0, 0];
  for (let at = 3; at < one.length; at += 4) {
    if (other[at] > 0) drawn++;
    if (Math.abs(one[at] - other[at]) > 64) unlike++;
  }
  return unlike / drawn;
}"""
WHOLE = "() => swarm.drawn()?.whole"
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with served(tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture
def fresh(tmp_path):
    """Made just now, however long the tests before took."""
    with served(tmp_path / "fresh", hostile=False) as found:
        yield found


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    with served(tmp_path_factory.mktemp("crowd"), CROWD) as found:
        yield found


@pytest.fixture
def visit(chromium):
    """Opens pages with the token entered; at the end no console may have told of an error."""
    told, contexts = [], []

    def open_page(world, path="/", scheme="dark"):
        size = {"width": 1360, "height": 820}
        context = chromium.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on(
            "console", lambda said: said.type in ("error", "warning") and told.append(said.text)
        )
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(world.url)
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_label("Your name").fill("kim")
        page.get_by_role("button", name="Look").click()
        page.wait_for_selector(".live.on")
        if path != "/":
            page.goto(world.url + path)
            page.wait_for_selector(".live.on")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert told == []


@pytest.fixture(autouse=True)
def _patience():
    expect.set_options(timeout=PATIENCE_MS)


@pytest.mark.parametrize("path", SAID)
def test_each_page_says_what_it_is_for(visit, world, path):
    page = visit(world, path)
    expect(page.locator("#status")).to_contain_text("2 of 6 SLAs at risk")
    for words in SAID[path]:
        expect(page.locator("#page")).to_contain_text(words)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_wrong_token_is_told_and_nothing_is_shown(chromium, world):
    page = chromium.new_page()
    page.goto(world.url)
    page.get_by_label("Token").fill("wrong")
    page.get_by_label("Your name").fill("kim")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("alert")).to_contain_text("Authorization: Bearer TOKEN")
    assert "crm_export" not in page.content()
    page.close()


def test_the_last_hour_of_the_fleet_is_a_line_under_each_figure(fresh, visit):
    page = visit(fresh)
    minutes = asked(fresh, "cost/minutes")  # of an hour that goes on
    page.route("**/api/v1/cost/minutes", give(minutes))
    page.reload()
    fleet = page.get_by_label("Fleet now")
    expect(fleet.locator("svg.spark")).to_have_count(3)
    slots = [one["slots"] for one in minutes]
    assert min(slots) == 0
    assert max(slots) >= 16
    shares = [one["held"] / one["slots"] for one in minutes if one["slots"]]
    assert min(shares) < 0.5 < 0.8 < max(shares)
    held = sum(one["held"] for one in minutes)
    expect(fleet).to_contain_text("on average in the last hour")
    mean = int(re.search(r"(\d+) % on average", fleet.inner_text())[1])
    assert abs(mean - 100 * held / sum(slots)) < 3
    named = f"slots in the last hour: 0 to {max(slots):.0f}"
    expect(fleet.get_by_role("img", name=named)).to_be_visible()
    most = max(one["usd_per_h"] for one in minutes)
    cost = fleet.get_by_role("img", name=f"cost in the last hour: 0.00 to {most:.2f} USD/h")
    expect(cost).to_be_visible()
    course = cost.locator("path.course").get_attribute("d")
    # As high as the dearest minute is at the top, and a step for each minute.
    assert course.count("H") == 60
    assert {float(y) for y in re.findall(r"[ML]\d+ ([\d.]+)", course)} >= {2.0, 24.0}


def test_runs_that_waited_to_begin_stand_above_those_under_way(visit, world):
    page = visit(world)
    expect(page.get_by_label("The last 60 minutes").locator("rect.bar")).to_have_count(60)
    now_s = time.time()
    key = {"orchestrator": "airflow", "pipeline": "queue"}
    times = {"scheduled_for_s": now_s - 1_500, "started_at_s": now_s - 300, "ended_at_s": now_s}
    run = {"pipeline": key, "run_id": "r", "state": "succeeded", **times}
    page.route("**/api/v1/runs?**", give({"items": [run], "next_cursor": None}))
    page.goto(world.url)
    strip = page.get_by_label("The last 60 minutes")
    expect(strip).to_contain_text("0 runs under way, 1 at most in one minute")  # it has ended
    expect(strip).to_contain_text("1 run at most waited to begin (outlined)")
    expect(strip.locator("rect.waited")).to_have_count(20)  # of the 25 minutes before it ended


def test_a_table_is_sorted_by_its_headings_and_saved(visit, world):
    page = visit(world, "/cost")
    table = page.get_by_role("table").filter(has_text="In vain")
    first = table.locator("tbody tr").first
    expect(first).to_contain_text("orders_clean")
    table.get_by_role("button", name="In vain").click()
    expect(first).to_contain_text("attribution")
    heading = table.get_by_role("columnheader", name="In vain")
    expect(heading).to_have_attribute("aria-sort", "descending")
    page.reload()
    expect(first).to_contain_text("attribution")
    table.get_by_role("button", name="Pipeline").click()
    expect(first).to_contain_text("of no pipeline")
    with page.expect_download() as saving:
        page.get_by_title("pipeline as CSV").click()
    assert saving.value.suggested_filename == "swarm-pipeline.csv"
    rows = list(csv.DictReader(io.StringIO(Path(saving.value.path()).read_text())))
    told = {row["name"]: row for row in asked(world, "cost?days=30")["rows"]}
    assert [row["Pipeline"] for row in rows] == sorted(told)
    for row in rows:
        usd = told[row["Pipeline"]]["usd"]  # of what runs it grows
        assert float(row["usd"]) == pytest.approx(usd, abs=1e-6 if row["Pipeline"] else 0.01)
        assert float(row["retry_usd"]) == told[row["Pipeline"]]["retry_usd"]
    table.get_by_role("button", name="Pipeline").click()
    table.get_by_role("button", name="Pipeline").click()
    expect(page).to_have_url(f"{world.url}/cost")
    expect(first).to_contain_text("orders_clean")


def test_what_belongs_to_a_drawing_stands_beside_it(visit, world):
    page = visit(world, "/cost")
    teams = page.get_by_role("link", name="Teams").bounding_box()
    heading = page.get_by_role("heading", name="Pipelines").bounding_box()
    assert teams["x"] > heading["x"]
    assert 0 < teams["y"] - heading["y"] < 80
    legend = page.get_by_text("the fleet of the peak, all the time").first
    page.get_by_role("link", name="Teams").click()
    expect(page.get_by_role("columnheader", name="Team")).to_be_visible()
    expect(legend).to_be_visible()


def test_a_saved_name_is_no_formula(visit, world):
    page = visit(world)
    name = '=HYPERLINK("http://x"),1'
    row = {"name": name, "usd": 1.0, "retry_usd": 0.0, "slot_h": 2.0}
    cost = asked(world, "cost?days=30") | {"rows": [row]}
    page.route("**/api/v1/cost?**", give(cost))
    page.goto(f"{world.url}/cost?by=team")
    with page.expect_download() as saving:
        page.get_by_title("team as CSV").click()
    assert saving.value.suggested_filename == "swarm-team.csv"
    (head, saved) = csv.reader(io.StringIO(Path(saving.value.path()).read_text()))
    assert head == ["Team", "usd", "retry_usd", "slot_h"]
    assert saved == [f"'{name}", "1", "0", "2"]


def test_what_a_reader_has_opened_stays_open(visit, world):
    page = visit(world, "/cost")
    page.get_by_text("As a table").click()
    table = page.get_by_role("table").filter(has_text="Day (UTC)")
    table.get_by_role("button", name="Bill").click()
    expect(page).to_have_url(re.compile("sort=-days.1"))
    expect(table.get_by_role("columnheader", name="Bill")).to_have_attribute(
        "aria-sort", "descending"
    )
    expect(table).to_be_visible()


def test_what_waits_says_why_in_a_line_and_in_full(visit, tmp_path):
    with served(tmp_path / "own", hostile=False) as own:
        now_s = time.time()
        needs = Needs("gpu", resources=Resources(cpu=4.0))
        tasks = tuple(
            Submission(TaskId(f"train-{at}"), "ml", "d", now_s - at, needs=needs)
            for at in range(10)
        )
        own.hand_in(tasks)
        page = visit(own)
        waits = page.get_by_label("Held and waiting")
        expect(waits).to_contain_text("10 tasks")
        told = asked(own, "tasks/train-9/explain")
        expect(waits).to_contain_text(told["waiting_text"])
        waits.get_by_role("link", name="10 tasks").click()
        page.wait_for_url("**/fleet?task=train-9")
        drawer = page.locator("#drawer")
        expect(drawer).to_contain_text(told["waiting_text"])
        expect(drawer).to_contain_text("ml")
        expect(drawer).to_contain_text("worker-3")
        expect(drawer).to_contain_text("no capability: it will never run here")
        assert barriers(page) == []
        page.keyboard.press("Escape")
        expect(drawer).to_be_hidden()
        lines = page.get_by_label("Waiting", exact=True).locator("li")
        expect(lines).to_have_count(8)
        expect(lines.first).to_contain_text("train-9")
        expect(lines.first).to_contain_text(told["waiting_text"])
        expect(page.get_by_label("Waiting", exact=True)).to_contain_text("and 2 that came later")
        lines.nth(1).focus()
        page.keyboard.press(".")
        page.wait_for_url("**/fleet?task=train-8")
        expect(drawer.get_by_role("heading", name="train-8")).to_be_visible()
        page.goto("about:blank")  # before its server is gone


def asked(world, path):
    """What the API answers."""
    header = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.get(f"{world.url}/api/v1/{path}", headers=header, timeout=120).json()


def test_hostile_names_are_text(visit, world):
    page = visit(world, "/graph?view=table")
    expect(page.locator("tbody")).to_contain_text(f"airflow/{HOSTILE}")
    page.goto(f"{world.url}/findings")
    expect(page.locator("#page")).to_contain_text(HOSTILE)
    page.keyboard.press("/")
    page.keyboard.type("onerror")
    expect(page.get_by_role("option").first).to_contain_text(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator("#drawer")).to_contain_text(HOSTILE)
    assert page.evaluate("globalThis.pwned") is None
    assert page.locator("img").count() == 0


def test_names_of_every_script_and_of_any_length_are_shown(visit, tmp_path):
    endless = "e" * 1_000_000
    with served(tmp_path / "own", hostile=False) as own:
        header = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"{own.url}/api/v1/", headers=header, timeout=120) as http:
            for name in NAMES.values():
                for told in (event(name, name), event("reads them", inputs=(name,))):
                    assert http.post("lineage", json=told).status_code == 201
            now_s = time.time()
            key = PipelineKey("airflow", endless)  # as an orchestrator might call it
            own.offer(Pipeline(key), Run(key, "r", RunState.FAILED, now_s, now_s, now_s))

            def listed():
                rows = http.get("pipelines?limit=1000").json()["items"]
                return {one["pipeline"] for one in rows}

            eventually(lambda: {*NAMES.values(), endless} <= listed())
        page = visit(own, "/graph?view=table&s=in%3Aprod")
        for name in NAMES.values():
            expect(page.locator("tbody")).to_contain_text(f"prod/{name}")
        assert page.locator("tbody img").count() == 0
        for path in SAID:
            page.goto(own.url + path)
            page.wait_for_selector(".live.on")
            expect(page.locator("#page h1")).to_have_count(1)
            page.wait_for_function("() => swarm.settled()")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.goto(f"{own.url}/graph?by=pipeline")
        page.wait_for_function(WHOLE)
        page.goto("about:blank")  # before its server is gone


def test_text_cannot_become_markup(chromium, world):
    page = chromium.new_page()
    page.goto(world.url)
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<b>x</b>'")
    page.close()


def test_what_happens_shows_at_once(visit, world):
    page = visit(world)
    expect(page.locator("#page")).to_contain_text("Failing")
    now_s = time.time()
    key = PipelineKey("airflow", "just_now")
    world.offer(Pipeline(key), Run(key, "r1", RunState.FAILED, now_s - 60, now_s - 60, now_s))
    failing = page.get_by_label("Failing")
    expect(failing).to_contain_text("just_now")
    world.offer(Run(key, "r2", RunState.SUCCEEDED, now_s, now_s, now_s + 1))
    expect(failing).not_to_contain_text("just_now")
    assert min(shown_after_s(page, world, f"soon_{number}") for number in range(5)) < 1.0


def shown_after_s(page, world, name):
    """From the record of a failure to the page that shows it; others compute here as well."""
    at_s, key = time.time(), PipelineKey("airflow", name)
    began_s = time.monotonic()
    world.offer(Pipeline(key), Run(key, "r1", RunState.FAILED, at_s - 60, at_s - 60, at_s))
    page.wait_for_function(
        "(name) => document.querySelector('#page').innerText.includes(name)", arg=name
    )
    took_s = time.monotonic() - began_s
    world.offer(Run(key, "r2", RunState.SUCCEEDED, at_s, at_s, at_s + 1))
    return took_s


def test_an_edge_shows_its_evidence_and_takes_a_verdict(visit, world):
    page = visit(world, "/graph?s=inventory+replenishment")
    page.wait_for_selector("#stage[data-drawn]")
    drawer = page.locator("#drawer")

    def is_picked():
        """News may move what is drawn between the look and the pointer."""
        box = page.locator("#stage canvas").bounding_box()
        x, y = page.evaluate(
            """() => { const { scene, view } = swarm.drawn(); const line = scene.lines[0];
            const at = (n, w) =>
              (scene[n][line.a] + scene[n][line.b] + w) / 2 * view.scale + view[n];
            return [at("x", 172), at("y", 26)]; }"""
        )
        page.mouse.click(box["x"] + x, box["y"] + y)
        return page.evaluate("location.search.includes('edge=')")

    eventually(is_picked)
    expect(drawer).to_contain_text("warehouse/dwh.inventory")
    expect(drawer.locator("mark").first).to_have_text("dwh.inventory")
    page.keyboard.press("x")
    expect(drawer).to_contain_text("rejected")
    expect(drawer).to_contain_text("0 % sure")
    drawer.get_by_role("button", name="Take the verdict back").click()
    expect(drawer.locator(".tag.rejected")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_what_is_moved_and_zoomed_is_drawn_as_if_at_once(visit, world):
    page = visit(world, "/graph?s=in:airflow")
    page.wait_for_function(WHOLE)
    page.locator("#stage canvas").focus()
    for key in ("+", "+", "+", "ArrowLeft", "ArrowDown", "ArrowDown", "-"):
        page.keyboard.press(key)
        page.evaluate(FRAME)
    page.wait_for_function(WHOLE)
    assert page.evaluate(UNLIKE) < 0.01
    page.mouse.move(700, 400)
    page.mouse.down()
    page.mouse.move(311, 287, steps=9)
    page.mouse.up()
    page.wait_for_function(WHOLE)
    page.mouse.move(1, 1)
    page.wait_for_function("() => !document.querySelector('#hovered').textContent")
    page.wait_for_function(WHOLE)
    assert page.evaluate(UNLIKE) < 0.01


def test_datasets_are_dots_on_the_edges_from_near(visit, world):
    page = visit(world, "/graph?s=inventory+replenishment")
    page.wait_for_function(WHOLE)
    # How much is drawn around the middle of the line: of a dot far more than of a line.
    dot = """() => {
      const { scene, view } = swarm.drawn();
      const [x1, y1, x2, y2, x3, y3, x4, y4] = scene.lines[0].points;
      const [x, y] = [(x1 + 3 * x2 + 3 * x3 + x4) / 8, (y1 + 3 * y2 + 3 * y3 + y4) / 8];
      const sheet = new OffscreenCanvas(9, 9).getContext("2d", { willReadFrequently: true });
      const shown = document.querySelector("#stage canvas");
      const place = (n, at) => Math.round(Math.round(view[n]) + at * view.scale) - 4;
      sheet.drawImage(shown, place("x", x), place("y", y), 9, 9, 0, 0, 9, 9);
      const points = sheet.getImageData(0, 0, 9, 9).data;
      let dark = 0;
      for (let at = 3; at < points.length; at += 4) if (points[at] > 128) dark++;
      return [view.scale, dark];
    }"""

    def after(key, is_enough):
        scale, points = page.evaluate(dot)
        while not is_enough(scale):
            page.keyboard.press(key)
            page.evaluate(FRAME)
            page.wait_for_function(WHOLE)
            scale, points = page.evaluate(dot)
        return points

    page.locator("#stage canvas").focus()
    assert after("-", lambda scale: scale < 0.9) < 30
    assert after("+", lambda scale: scale > 2) > 50


def test_who_is_hit_is_told_of_the_box_under_the_pointer(visit, world):
    page = visit(world, "/graph?by=pipeline")
    page.wait_for_selector("#stage[data-drawn]")
    told = "dagster/finance_close: 2 after it, 3 before"

    def is_told():
        """News may move what is drawn between the look and the pointer."""
        box = page.locator("#stage canvas").bounding_box()
        x, y = page.evaluate(
            """() => { const { x, y, ids, view } = swarm.drawn();
            const at = ids.indexOf("dagster/finance_close");
            return [(x[at] + 20) * view.scale + view.x, (y[at] + 9) * view.scale + view.y]; }"""
        )
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.evaluate("() => new Promise(requestAnimationFrame)")
        return page.locator("#hovered").text_content() == told

    eventually(is_told)
    page.mouse.move(1, 1)
    expect(page.locator("#hovered")).to_be_empty()


def test_the_slider_says_how_many_steps_are_shown(visit, world):
    page = visit(world, "/graph?s=%2Bfinance_close%2B")
    page.wait_for_function("() => swarm.drawn()?.boxes === 6")
    slider = page.get_by_label("steps shown around what is selected")
    slider.fill("1")
    page.wait_for_function("() => swarm.drawn().boxes === 5")
    assert page.evaluate("new URLSearchParams(location.search).get('s')") == "1+finance_close+1"
    slider.fill("7")
    page.wait_for_function("() => swarm.drawn().boxes === 6")
    expect(page.get_by_label("Selector")).to_have_value("+finance_close+")


def test_hands_stay_on_the_keyboard(visit, world):
    page = visit(world)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next and previous")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/findings")
    expect(page.locator("li.finding").nth(1)).to_be_visible()
    page.keyboard.press("j")
    first = page.locator(":focus").get_attribute("data-key")
    page.keyboard.press("j")
    second = page.locator(":focus").get_attribute("data-key")
    assert first != second
    page.keyboard.press(".")
    expect(page.locator("li.finding:focus .inside")).to_be_visible()
    assert page.url.endswith(f"open={second}")
    page.go_back()
    expect(page.locator(".inside")).to_have_count(0)


def test_a_list_that_ranks_anew_keeps_the_place_of_who_reads(visit, world):
    page = visit(world)
    found = page.evaluate(
        """async () => (await (await fetch("/api/v1/findings?kind=undeclared_dependency&limit=2",
        { headers: { Authorization: "Bearer " + sessionStorage["swarm.token"] } })).json())"""
    )
    alike = {"pipelines": found["items"][0]["pipelines"], "level": "warn"}
    one, other = (item | alike for item in found["items"])
    listed = {"items": [one, other], "next_cursor": None}
    page.route("**/api/v1/findings?**", lambda route: route.fulfill(json=listed))
    page.goto(f"{world.url}/findings")
    rows = page.locator("li.finding")
    expect(rows.nth(1)).to_have_attribute("data-key", other["id"])
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    other["level"] = "gate"
    page.evaluate("() => swarm.touch('findings')")
    expect(rows.nth(0)).to_have_attribute("data-key", other["id"])
    expect(rows.nth(0)).to_be_focused()


def rated(world):
    """What was said of findings: which, whether it was right, by whom."""
    with contextlib.closing(open_journal("", world.folder)) as journal:
        entries = journal.read("sequencing", 0, 10_000)
    said = [entry.record for entry in entries if isinstance(entry.record, FindingRated)]
    return [(one.finding, one.is_right, one.by) for one in said]


def test_thumbs_are_on_the_keyboard_and_each_finding_takes_one(visit, world):
    page = visit(world, "/findings?kind=stale_read")
    row = page.locator("li.finding")
    expect(row).to_have_count(1)
    before = rated(world)
    page.keyboard.press("d")
    page.keyboard.press("j")
    page.keyboard.press(".")
    group = row.get_by_role("group", name="Was it right to tell?")
    expect(group.get_by_role("button")).to_have_count(2)
    assert barriers(page) == []
    page.keyboard.press("u")
    expect(page.get_by_role("alert")).to_contain_text("it was right to tell")
    right = group.get_by_role("button", name="Right to tell")
    expect(right).to_have_attribute("aria-pressed", "true")
    expect(group.get_by_role("button", name="Wrong")).to_be_disabled()
    page.keyboard.press("d")
    (said,) = [one for one in rated(world) if one not in before]
    assert said[1:] == (True, "kim")
    assert said[0] == re.search(r"open=(\w+)", page.url)[1]


def test_what_somebody_muted_stands_apart_until_it_is_told_again(visit, world):
    page = visit(world, "/findings?kind=race")
    row = page.locator("li.finding")
    expect(row).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press(".")
    expect(row.get_by_role("group", name="Mute it").get_by_role("button")).to_have_count(3)
    page.keyboard.press("m")
    expect(page.get_by_role("alert")).to_contain_text("nobody is told of it")
    expect(row).to_contain_text("Muted by kim, until ")
    expect(page.locator("#status")).to_contain_text(" open, 1 muted.")
    assert barriers(page) == []
    page.get_by_role("button", name=re.compile("^all")).click()
    expect(page.locator("li.finding").first).to_be_visible()
    expect(page.locator("li.finding .kind").filter(has_text="race")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^muted")).click()
    expect(row).to_have_count(1)
    row.locator("[data-open]").click()
    page.get_by_role("button", name="Tell of it again").click()
    expect(page.locator("#page")).to_contain_text("Nothing is muted.")
    expect(page.locator("#status")).not_to_contain_text("muted")


def test_an_owner_is_asked_by_a_question_that_is_ready(visit, world):
    page = visit(world, "/findings?kind=undeclared_dependency")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = page.locator("li.finding").filter(has_text="dwh.orders_clean").first
    row.locator("[data-open]").click()
    asking = row.locator("details")
    asking.locator("summary").click()
    text = asking.locator("pre").inner_text()
    assert re.match(r"(\w+): does \S+ read what airflow/orders_clean/load writes, ", text)
    assert asking.locator("summary").inner_text() == f"Ask {text.partition(':')[0]}"
    assert barriers(page) == []
    asking.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("alert")).to_contain_text("The question is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == text
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    asking.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("alert")).to_contain_text("mark the text and copy it")
    page.goto(re.search(r"http://\S+$", text)[0])
    expect(page.locator("#drawer")).to_contain_text("dwh.orders_clean")


def test_what_became_of_a_finding_and_which_kinds_are_muted_is_said(visit, world):
    page = visit(world)
    found = page.evaluate(
        """async () => (await (await fetch("/api/v1/findings?limit=1000",
        { headers: { Authorization: "Bearer " + sessionStorage["swarm.token"] } })).json())"""
    )
    (race,) = [one for one in found["items"] if one["kind"] == "race"]
    race["outcome"] = "rejected"
    page.route("**/api/v1/findings?**", give({"items": [race], "next_cursor": None}))
    counts = dict.fromkeys(("came_true", "acted_on", "refuted", "confirmed"), 1)
    score = {**counts, "rejected": 7, "kind": "race", "precision": 0.3, "muted": "3 of 10 right"}
    page.route("**/api/v1/findings/score", give([score]))
    page.goto(f"{world.url}/findings?open={race['id']}")
    expect(page.locator(".mute")).to_contain_text("race: 3 of 10 right.")
    expect(page.locator(".verdicts").first).to_contain_text("wrong to tell")
    expect(page.locator(".verdicts").first).to_contain_text("Of its kind 30 % were right")
    expect(page.get_by_role("button", name="Right to tell")).to_have_count(0)
    assert barriers(page) == []


def barriers(page):
    found = Axe().run(page, options=WCAG).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:120]) for one in found]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_each_page_is_open_to_everybody(visit, world, scheme):
    page = visit(world, scheme=scheme)
    for key, path in (
        ("i", "findings"),
        ("f", "fleet"),
        ("c", "cost"),
        ("t", "timeline"),
        ("g", "graph"),
        ("n", ""),
    ):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**/{path}")
        expect(page.locator("#page h1")).to_have_count(1)
        page.wait_for_function("() => swarm.settled()")
        assert barriers(page) == []
    for key in ("/", "?"):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        assert barriers(page) == []
        page.keyboard.press("Escape")
    page.goto(f"{world.url}/graph?edge=airflow%2Forders_clean%0Adagster%2Ffinance_close")
    expect(page.locator("#drawer .ledger").first).to_be_visible()
    assert barriers(page) == []
    page.goto(f"{world.url}/graph?view=table&node=airflow%2Forders_clean")
    expect(page.locator("#drawer")).to_contain_text("nearest first")
    expect(page.locator("tbody tr").first).to_be_visible()
    assert barriers(page) == []


def test_the_plan_stands_beside_what_ran(visit, world):
    page = visit(world, "/timeline?span=24+h")
    row = page.locator(".row").filter(has_text="finance_close")
    expect(row.locator("rect.ok, rect.running").first).to_be_visible()
    expect(row.locator(".planned").first).to_be_attached()
    expect(row.locator(".held title")).to_contain_text("waits for data that is being made")
    expect(row).to_contain_text("late")  # due in 46 minutes, expected in 60
    page.get_by_label("Whose path").select_option(index=2)
    rows = page.locator(".row[data-row] .pipeline")
    expect(rows).to_have_count(3)
    assert rows.all_inner_texts() == ["ai\ncrm_export", "ai\norders_clean", "da\nfinance_close"]
    expect(page.locator("p.lead")).to_contain_text("crm_export is not where it usually is by now")
    marks = page.locator(".axis text").all_text_contents()
    assert len(marks) > 4
    assert all(mark.endswith(":00") for mark in marks)
    page.reload()
    expect(rows).to_have_count(3)
    expect(page.get_by_role("button", name="24 h")).to_have_attribute("aria-pressed", "true")


def test_what_swarm_held_lies_where_it_would_have_begun_without(visit, world):
    page = visit(world, "/timeline?span=6+h")
    row = page.locator(".row").filter(has_text="attribution")
    told = row.locator("g.without title")
    expect(told).to_contain_text("without swarm it would have begun")
    expect(told).to_contain_text("before airflow/sessions was done; it was held until")
    left = row.locator("g.without rect").evaluate("(box) => box.getBBox().x + box.getBBox().width")
    assert left > 0
    expect(page.locator(".row").filter(has_text="crm_export").locator("g.without")).to_have_count(0)


def test_the_day_is_gone_back_through(visit, world):
    page = visit(world, "/timeline?span=6+h")
    ran = page.locator(".row[data-row] svg rect:not(g rect)")
    expect(ran.first).to_be_attached()
    bars = "() => [...document.querySelectorAll('.row[data-row] svg > rect')].length"
    line = "() => Number(document.querySelector('.row[data-row] line.now').getAttribute('x1'))"
    [all_bars, at_now] = [page.evaluate(bars), page.evaluate(line)]
    slider = page.get_by_label("the moment that is shown")
    expect(slider).to_have_attribute("aria-valuetext", "now")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 6, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, middle, steps=8)
    told = page.locator("p.lead")
    expect(told).to_contain_text("under way")  # while it is still held
    page.wait_for_function(f"(now) => ({line})() < now / 2", arg=at_now)
    page.wait_for_function(f"(all) => 0 < ({bars})() && ({bars})() < all", arg=all_bars)
    assert "at=" not in page.url
    page.mouse.up()
    expect(page).to_have_url(re.compile("at="))
    at_s = int(re.search(r"at=(\d+)", page.url)[1])
    words = told.inner_text()
    truth = sum(run_then(run, at_s) for run in world_runs(world))
    assert f"{truth} run" in words, words
    page.reload()
    expect(told).to_have_text(words)
    assert barriers(page) == []
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(f"at={at_s - 60}"))
    page.get_by_role("button", name="now", exact=True).click()
    expect(slider).to_have_attribute("aria-valuetext", "now")
    assert "at=" not in page.url
    page.wait_for_function(f"(all) => ({bars})() >= all", arg=all_bars)


def world_runs(world):
    """All runs of the last day, as the API tells them."""
    runs, cursor = [], None
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=120) as http:
        while True:
            asked = {"limit": 1_000, **({"cursor": cursor} if cursor else {})}
            page = http.get(f"{world.url}/api/v1/runs", params=asked).json()
            runs += page["items"]
            if not (cursor := page["next_cursor"]):
                return runs


def run_then(run, at_s):
    """Whether it was under way then."""
    began_s, ended_s = run["started_at_s"], run["ended_at_s"]
    return began_s is not None and began_s <= at_s and (ended_s is None or ended_s > at_s)


def give(answer):
    return lambda route: route.fulfill(json=answer)


def test_pages_without_anything_say_what_brings_it(visit, world):
    page = visit(world)
    nothing = {"items": [], "next_cursor": None}
    columns = ("orchestrator", "name", "owner", "tags", "schedule", "paused", "listed")
    edges = ("upstream", "downstream", "confidence", "declared", "datasets")
    graph = {"pipelines": {key: [] for key in columns}, "edges": {key: [] for key in edges}}
    for path, answer in {
        "graph": graph,
        "runs?**": nothing,
        "findings?**": nothing,
        "slas": [],
        "decisions": [],
        "ahead": [],
        "workers": [],
        "foreign-workers": [],
        "tasks?**": nothing,
        "cost?**": asked(world, "cost?days=1&by=team") | {"days": [], "rows": []},
    }.items():
        page.route(f"**/api/v1/{path}", give(answer))
    for path, words in {
        "/": ["Nothing is promised yet", "Nothing is held, and nothing waits"],
        "/graph": ["No pipelines are known yet", "swarm scan"],
        "/timeline": ["Runs appear as orchestrators tell of them"],
        "/fleet": ["No worker is here", "No task waits for a slot", "None is watched yet"],
        "/cost": ["No node has worked for swarm in these 30 days", "swarm cost --baseline"],
        "/findings": ["Nothing is open"],
    }.items():
        page.goto(world.url + path)
        for one in words:
            expect(page.locator("#page")).to_contain_text(one)


def test_the_palette_leads_to_a_selector(visit, world):
    page = visit(world)
    page.keyboard.press("/")
    page.keyboard.type("crm_export+1")
    expect(page.get_by_role("option")).to_contain_text("Show crm_export+1 in the graph")
    page.keyboard.press("Enter")
    page.wait_for_function("() => swarm.drawn()?.boxes === 3")
    assert page.url.endswith("/graph?s=crm_export%2B1")


def test_what_lies_above_the_page_keeps_the_focus_and_gives_it_back(visit, world):
    page = visit(world)
    link = page.locator("#rail a").nth(2)
    link.focus()
    page.keyboard.press("/")
    search = page.get_by_role("combobox", name="Search")
    expect(search).to_be_focused()
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("option", selected=True)
    expect(search).to_have_attribute("aria-activedescendant", chosen.get_attribute("id"))
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('#rail, #top, #page, #status')")
    search.focus()
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    page.keyboard.press("?")
    page.keyboard.press("Enter")  # its button has the focus
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_a_line_that_is_cut_is_said_and_comes_back(chromium, world):
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script(f"sessionStorage.setItem('swarm.token', '{TOKEN}')")
    page.goto(world.url)
    page.wait_for_selector(".live.on")
    page.route("**/api/v1/**", lambda route: route.abort())
    page.evaluate("swarm.touch('slas'); swarm.cut()")
    expect(page.locator("#status")).to_contain_text("swarm does not answer since")
    expect(page.locator("#page")).to_contain_text("finance_close")
    page.unroute_all()
    expect(page.locator("#status")).to_contain_text("SLAs at risk")
    context.close()


def drawn_after_s(page, url):
    """From going there to the graph; others compute here as well."""
    began_s = time.monotonic()
    page.goto(url)
    page.wait_for_selector("#stage[data-drawn]")
    return time.monotonic() - began_s


def test_ten_thousand_pipelines_are_groups_first_and_can_all_be_drawn(visit, crowd):
    page = visit(crowd, "/graph")
    page.wait_for_selector("#stage[data-drawn]")
    assert page.evaluate("swarm.drawn().boxes") < 10
    assert min(drawn_after_s(page, f"{crowd.url}/graph?by=pipeline") for _ in range(4)) < 3.0
    assert page.evaluate("swarm.drawn().boxes") > CROWD
    before = page.evaluate("({...swarm.drawn().view})")
    box = page.locator("#stage canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 120, middle[1] - 40, steps=4)
    page.mouse.up()
    page.mouse.wheel(0, -1_200)
    page.wait_for_function("(was) => swarm.drawn().view.scale > 2 * was", arg=before["scale"])
    page.get_by_label("Selector").fill("2+report_09000")
    page.keyboard.press("Enter")
    page.wait_for_function("() => swarm.drawn().boxes < 100")
    expect(page.locator("#drawn")).to_contain_text(f"of {CROWD + 18:,} pipelines")
