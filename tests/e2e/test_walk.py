"""Each page of the dashboard on a swarm that runs, told by real actors over Ray Serve."""

from collections.abc import Iterable, Mapping

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Swarm
from tests.e2e.test_dashboard import barriers
from tests.e2e.test_up import eventually

pytestmark = pytest.mark.parametrize("swarm", ["shared"], indirect=True)

EDGE = "/graph?edge=manifest%2Fcrm_export%0Amanifest%2Ffinance_close"
HELD = "manifest/board_deck"


def let_in(page: Page, url: str, token: str) -> None:
    """Open a link, as somebody who has a token."""
    page.goto(url)
    page.get_by_label("Token").fill(token)
    page.get_by_label("Your name").fill("kim")
    page.get_by_role("button", name="Look").click()
    page.wait_for_selector(".live.on")


def walk(page: Page, said: Mapping[str, Iterable[str]]) -> None:
    """Go to the page of each key: it says these words, and nobody is kept out of it."""
    for key, wanted in said.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        for words in wanted:
            expect(page.locator("#page")).to_contain_text(words)
        page.wait_for_function("() => swarm.settled()")
        assert barriers(page) == []


def test_each_page_is_walked_from_a_link_on(swarm: Swarm, page: Page) -> None:
    client = swarm.client
    [worker] = eventually(lambda: len(found := client.workers()) == 1 and found)
    eventually(lambda: list(client.dependencies()))
    let_in(page, swarm.url + EDGE, swarm.token)
    for words in ("warehouse/dwh.orders", "INSERT INTO dwh.orders SELECT", "report.sql:1"):
        expect(page.locator("#drawer")).to_contain_text(words)
    page.keyboard.press("Escape")
    said = {
        "n": ("Held and waiting", "airflow", "cannot be read since", f"{worker['slots']} slots"),
        "g": ("declared", "implicit", "As a table"),
        "t": ("path of manifest/finance_close by", " ran"),
        "f": (worker["worker"], "manifest", "unavailable", "false alarms in"),
        "c": ("USD in 30 days", "Utilisation"),
        "i": ("manifest/finance_close reads what manifest/crm_export writes",),
    }
    walk(page, said)
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.locator("#page")).not_to_contain_text("held by test")
    client.hold(HELD, by="test", for_s=600.0)
    expect(page.locator("#page")).to_contain_text("held by test")
    client.release(HELD, by="test")
    expect(page.locator("#page")).not_to_contain_text("held by test")
