"""AWS's price list, from a server that answers as its documentation says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from swarm.capacity.listed import Listed, listed
from swarm.cli.main import app
from swarm.config import Settings
from swarm.errors import CapacityError

PUBLISHED = "2026-11-20T18:00:00Z"


def product(kind: str, region: str, *usd: str, unit: str = "Hrs") -> str:
    """One of the answer's `PriceList`, which are texts."""
    rates = {
        f"SKU.TERM.R{number}": {"unit": unit, "pricePerUnit": {"USD": one}}
        for number, one in enumerate(usd)
    }
    return json.dumps(
        {
            "product": {
                "productFamily": "Compute Instance",
                "attributes": {"instanceType": kind, "regionCode": region},
            },
            "serviceCode": "AmazonEC2",
            "terms": {"OnDemand": {"SKU.TERM": {"priceDimensions": rates}}},
            "version": "20261120180000",
            "publicationDate": PUBLISHED,
        }
    )


class Desk(BaseHTTPRequestHandler):
    """Knows three machines, one of which costs two prices; a fourth makes no sense."""

    asked: list[dict[str, str]]
    refused = False
    products = (
        ("m6i.xlarge", "us-east-1", product("m6i.xlarge", "us-east-1", "0.1920000000")),
        ("m6i.xlarge", "us-east-1", product("m6i.xlarge", "us-east-1", "0.0000000000")),
        ("m5.large", "eu-central-1", product("m5.large", "eu-central-1", "0.1190000000")),
        ("two", "us-east-1", product("two", "us-east-1", "0.1", "0.2")),
        ("odd", "us-east-1", "{}"),
    )

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refused:
            said = {"__type": "AccessDeniedException", "Message": "may not GetProducts"}
            self._say(400, said)
            return
        assert self.headers["X-Amz-Target"] == "AWSPriceListService.GetProducts"
        fields = {one["Field"]: one["Value"] for one in asked["Filters"]}
        type(self).asked.append(fields)
        found = [
            text
            for kind, region, text in self.products
            if (kind, region) == (fields["instanceType"], fields["regionCode"])
        ]
        page = int(asked.get("NextToken", 0))
        more = {"NextToken": str(page + 1)} if page + 1 < len(found) else {}
        self._say(200, {"FormatVersion": "aws_v1", "PriceList": found[page : page + 1], **more})

    def _say(self, status: int, tree: dict[str, Any]) -> None:
        body = json.dumps(tree).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def a_desk(refused: bool = False) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Its address, and the filters that it was asked for."""
    asked: list[dict[str, str]] = []
    kind = type("Own", (Desk,), {"asked": asked, "refused": refused})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    with a_desk() as (url, found):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield found


def test_of_all_that_is_listed_the_plain_machine_on_demand_counts(
    asked: list[dict[str, str]],
) -> None:
    assert listed("m6i.xlarge", "us-east-1") == Listed(0.192, PUBLISHED), "nothing is free"
    assert asked[0] == {
        "instanceType": "m6i.xlarge",
        "regionCode": "us-east-1",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "marketoption": "OnDemand",
    }
    assert len(asked) == 2, "page by page"
    assert listed("m6i.xlarge", "mars-1") is None


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("kind", "says"),
    [("two", r"several prices of two in us-east-1: \$0.1, \$0.2"), ("odd", "not understood")],
)
def test_what_is_no_one_price_is_said(kind: str, says: str) -> None:
    with pytest.raises(CapacityError, match=says):
        listed(kind, "us-east-1")


PRICES = {
    "night": {"type": "m6i.xlarge", "region": "us-east-1", "spot_usd_per_h": 0.07},
    "sure": {"type": "m5.large", "region": "eu-central-1"},
    "rare": {"type": "x9.huge", "region": "us-east-1", "usd_per_h": 7.0},
    "lab": {"usd_per_h": 0.3},
}


def prices(tmp_path: Path, tree: object) -> Any:
    file = tmp_path / "swarm.yaml"
    file.write_text(yaml.safe_dump({"prices": tree}))
    return CliRunner().invoke(app, ["cluster", "prices", "--config", str(file)])


@pytest.mark.usefixtures("asked")
def test_settings_are_printed_with_what_aws_lists_now(tmp_path: Path) -> None:
    """What it does not list stays as it was and is named; the file is left alone."""
    done = prices(tmp_path, PRICES)
    assert done.exit_code == 0, done.stderr
    tree = yaml.safe_load(done.stdout)
    assert tree["prices"] == PRICES | {
        "night": PRICES["night"] | {"usd_per_h": 0.192},
        "sure": PRICES["sure"] | {"usd_per_h": 0.119},
    }
    Settings.model_validate(tree)
    assert f"published {PUBLISHED}" in done.stdout
    assert "sure: 0.115 -> 0.119" in done.stderr, "the table that ships is older"
    assert "rare: AWS does not list x9.huge in us-east-1" in done.stderr
    assert yaml.safe_load((tmp_path / "swarm.yaml").read_text()) == {"prices": PRICES}


def test_without_an_answer_nothing_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_desk(refused=True) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        done = prices(tmp_path, PRICES)
    assert (done.exit_code, done.stdout) == (6, "")
    assert "may not GetProducts" in done.stderr


def test_settings_without_machines_of_aws_are_told_what_to_say(tmp_path: Path) -> None:
    done = prices(tmp_path, {"lab": {"usd_per_h": 0.3}})
    assert done.exit_code == 2
    assert "`type` and `region`" in done.stderr
