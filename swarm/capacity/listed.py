"""What AWS lists for a machine on demand today, where the table that ships has grown old or never
knew it: `GetProducts` of AWS's price list. It needs `pricing:GetProducts`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from swarm.errors import CapacityError

_SERVED_IN = "us-east-1"  # for all regions
_TIMEOUT_S = 10
_PLAIN = {  # of a type: Linux without anything on it, nobody else's hardware, nothing reserved
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}


class Listed(NamedTuple):
    """An hour of one machine, and when that was published."""

    usd_per_h: float
    published: str


def listed(kind: str, region: str) -> Listed | None:
    """None: AWS does not list it there. Raises `CapacityError`, also where it lists two prices."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    limits = Config(
        connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 2}
    )
    wanted = {"instanceType": kind, "regionCode": region} | _PLAIN
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()
    ]
    found: set[Listed] = set()
    try:
        client = boto3.client("pricing", region_name=_SERVED_IN, config=limits)
        pages = client.get_paginator("get_products")
        for page in pages.paginate(ServiceCode="AmazonEC2", Filters=filters):
            for text in page["PriceList"]:
                found.update(_prices(json.loads(text)))
    except (BotoCoreError, ClientError) as error:
        raise CapacityError(f"AWS's price of {kind} in {region}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CapacityError(
            f"AWS's price of {kind} in {region}: its answer is not understood ({error!r})"
        ) from None
    if len({one.usd_per_h for one in found}) > 1:
        told = ", ".join(f"${one.usd_per_h:g}" for one in sorted(found))
        raise CapacityError(f"AWS lists several prices of {kind} in {region}: {told}")
    return max(found, key=lambda one: one.published, default=None)


def _prices(product: Mapping[str, Any]) -> Iterator[Listed]:
    for term in product["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            usd = float(dimension["pricePerUnit"]["USD"])
            if dimension["unit"] == "Hrs" and usd > 0:  # what is reserved is listed at nothing
                yield Listed(usd, str(product["publicationDate"]))
