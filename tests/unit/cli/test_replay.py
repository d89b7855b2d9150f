"""`swarm replay` over a manifest with runs, called as from a shell."""

import json
import time
from html.parser import HTMLParser

import pytest
import yaml
from typer.testing import CliRunner

from swarm.cli.main import app
from swarm.cli.replay_text import as_html

DAY_S, HOUR_S = 86_400.0, 3_600.0
TODAY_S = time.time() // DAY_S * DAY_S
LATE_AGO = 9


def runs(hour, late_hour):
    """One a day for five weeks, up to yesterday; on one day the run `late_hour` is another one."""
    for ago in range(35, 0, -1):
        midnight_s = TODAY_S - ago * DAY_S
        yield midnight_s + hour * HOUR_S, 1_800.0 if ago != LATE_AGO else late_hour * HOUR_S
        if ago == LATE_AGO and hour == 6:
            yield midnight_s + 7.5 * HOUR_S, 1_800.0


def told(hour, late_hour=0.5):
    return [
        {"started_at_s": at_s, "ended_at_s": at_s + took_s}
        for at_s, took_s in runs(hour, late_hour)
    ]


@pytest.fixture
def replay(tmp_path, monkeypatch):
    """The export is late once, and the close of that day is made again at half past seven."""
    monkeypatch.setenv("NO_COLOR", "1")
    manifest = tmp_path / "tasks.jsonl"
    load = {"pipeline": "load", "task": "t", "writes": ["raw.orders"], "runs": told(5, 1.5)}
    close = {"pipeline": "close<b>", "task": "t", "reads": ["raw.orders"], "runs": told(6)}
    manifest.write_text("".join(json.dumps(line) + "\n" for line in (load, close)))
    config = tmp_path / "swarm.yaml"
    config.write_text('slas: [{pipeline: "manifest/close<b>", by: "07:00"}]\n')

    def invoke(*words):
        asked = ["replay", "--manifest", manifest, "-c", config, *words]
        return CliRunner().invoke(app, [str(word) for word in asked])

    return invoke


def test_the_days_are_replayed_offline_and_priced(replay):
    done = replay("--days", 30, "--price", 2, "-o", "json")
    assert done.exit_code == 0, done.stderr
    tree = json.loads(done.stdout)
    assert tree.pop("schema_version") == 1
    # By the time of day at which they are counted back from.
    assert (tree["days"], tree["runs"]) in {(29, 58), (30, 59), (30, 60)}
    assert tree["stale_reads"]["without"] == 1
    assert tree["slot_h"]["without"] * 2 == tree["usd"]["without"]
    (hazard,) = tree["hazards"]
    assert (hazard["writer"], hazard["reader"]) == ("manifest/load", "manifest/close<b>")
    (sla,) = tree["slas"]
    assert (sla["missed_without"], sla["name"]) == (1, "manifest/close<b> by 07:00 UTC")
    # What two lines of a manifest state is sure enough to be shown, not to be held for.
    assert (hazard["sure"], tree["held"], hazard["prevented"]) == (False, 0, 0)


def test_yaml_says_what_json_says(replay):
    as_json, as_yaml = (replay("--days", 3, "-o", form).stdout for form in ("json", "yaml"))
    told = yaml.safe_load(as_yaml)
    assert told.keys() == json.loads(as_json).keys()
    assert told["stale_reads"] == json.loads(as_json)["stale_reads"]


def test_the_table_says_what_has_to_be_accepted(replay):
    done = replay()
    assert done.exit_code == 0, done.stderr
    assert "planned runs: as they were, and as they would have been with swarm" in done.stdout
    assert "Nothing would have been held." in done.stdout
    assert "manifest/load -> manifest/close<b>: 1 stale reads; 0 of them prevented" in done.stdout
    assert "not sure enough to hold for: accept it, or declare the order" in done.stdout
    assert "missed 1 -> 1 of" in done.stdout


class Page(HTMLParser):
    """The tags of a page and where they lead."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.texts = set(), [], []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_stands_alone_and_no_name_breaks_out_of_it(replay):
    done = replay("-o", "html", "--price", 0.5)
    assert done.exit_code == 0, done.stderr
    page = Page()
    page.feed(done.stdout)
    assert page.tags.isdisjoint({"script", "img", "link", "b", "iframe", "object"})
    assert page.links == []
    assert "url(" not in done.stdout
    assert "manifest/load -> manifest/close<b>" in page.texts
    assert "manifest/close<b> by 07:00 UTC" in page.texts


def test_a_page_without_anything_wrong_says_so(replay):
    zero = dict.fromkeys(("without", "within", "saved", "low", "high"), 0.0)
    names = ("stale_reads", "failures", "sla_misses", "old_data_min", "slot_h")
    answer = {"from_s": 0.0, "until_s": DAY_S, "days": 1, "runs": 1, "held": 0, "usd": None}
    answer |= {"held_median_min": 0.0, "hazards": [], "slas": []} | dict.fromkeys(names, zero)
    page = as_html(answer)
    assert "Nothing, as far as runs show." in page
    assert "No SLA is known" in page


def test_bad_words_are_exit_code_2(replay):
    assert replay("--days", 0).exit_code == 2
    assert replay("--price", -1).exit_code == 2
