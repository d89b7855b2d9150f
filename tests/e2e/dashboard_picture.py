"""Makes the picture of the README: `python -m tests.e2e.dashboard_picture FILE`.

The world is that of the tests, in the real app and a real browser.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.e2e.dashboard_world import TOKEN, served

PATH = "/graph?s=%2Bfinance_close%2B&edge=airflow%2Forders_clean%0Adagster%2Ffinance_close"


def main(file: Path) -> None:
    with (
        TemporaryDirectory() as folder,
        served(Path(folder), hostile=False) as world,
        sync_playwright() as play,
    ):
        program = shutil.which("chromium")
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1320, "height": 640}, color_scheme="dark")
        page.add_init_script(f"sessionStorage.setItem('swarm.token', '{TOKEN}')")
        page.goto(world.url + PATH)
        for wanted in ("#stage[data-drawn]", ".ledger", "#status.late"):
            page.wait_for_selector(wanted)
        page.wait_for_function("() => swarm.settled()")
        page.screenshot(path=file)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
