"""The dashboard's files are there for everybody, small, unchangeable by text, and complete."""

import re

import httpx2 as httpx
import pytest

from swarm.api.app import create_app
from swarm.api.pages import FOLDER, PAGES
from tests.unit.api.conftest import TOKEN

FIRST_LOAD_MAX_BYTES = 120_000


@pytest.fixture
async def browser(api):
    transport = httpx.ASGITransport(create_app(api.deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://swarm") as http:
        yield http


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_no_token_and_may_run_nothing_but_its_files(browser, path):
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert {policy[what] for what in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|<style", answer.text)


async def test_each_page_has_its_data_beside_it(browser):
    for path in PAGES:
        answer = await browser.get(f"{'/now' if path == '/' else path}.json?limit=1")
        assert (answer.status_code, answer.content) == (307, b"")
        there = answer.headers["location"]
        assert re.fullmatch(r"/api/v1/\w+\?limit=1", there)
        assert (await browser.get(there)).status_code == 401
        token = {"authorization": f"Bearer {TOKEN}"}
        assert (await browser.get(there, headers=token)).status_code == 200


async def test_no_other_path_is_open(browser):
    for path in ("/assets/../pages.py", "/assets/index.html", "/assets/%2e%2e/x", "/other"):
        assert (await browser.get(path)).status_code == 404
    assert (await browser.post("/")).status_code == 401
    for path in ("/api/v1/status", "/api/v1/graph", "/api/v1/events", "/api/v1/openapi.json"):
        assert (await browser.get(path)).status_code == 401


async def test_what_a_page_loads_is_there_and_small(browser):
    whole = 0
    page = (await browser.get("/")).text
    asked, known = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page), set()
    assert "/assets/main.js" in asked
    while asked:
        path = asked.pop()
        if path in known:
            continue
        known.add(path)
        answer = await browser.get(path, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, path
        assert answer.headers["content-encoding"] == "gzip"
        whole += int(answer.headers["content-length"])
        asked += [f"/assets/{name}" for name in re.findall(r'from "\./([^"]+)"', answer.text)]
    assert whole < FIRST_LOAD_MAX_BYTES
    unused = {path.name for path in FOLDER.iterdir()} - {path.split("/")[-1] for path in known}
    told = {"README.md", "README.png"}
    assert unused - told == {"index.html", "layout_worker.js"}


async def test_a_file_that_is_known_is_not_sent_again(browser):
    first = await browser.get("/assets/main.js")
    again = await browser.get("/assets/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_no_file_makes_markup_of_text():
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?:"
    for path in FOLDER.glob("*.js"):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            assert "www.w3.org" in line or not re.search(banned, line), f"{path.name}:{number}"
