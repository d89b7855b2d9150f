"""What machines cost on demand: a few that ship, so that a cost can be told before anything is set.

AWS, Linux, USD an hour. From the catalogue of SkyPilot (v8), which takes it from AWS's own price
list; read on `AS_OF`. Prices change seldom, but they do: a price given in the settings comes first.
"""

AS_OF = "2026-11-23"
SOURCE = "AWS price list, by github.com/skypilot-org/skypilot-catalog, catalogs/v8/aws/vms.csv"

_LARGE_USD_PER_H = {  # m5.large by region; each size up doubles it
    "us-east-1": 0.096,
    "us-east-2": 0.096,
    "us-west-1": 0.112,
    "us-west-2": 0.096,
    "ca-central-1": 0.107,
    "eu-west-1": 0.107,
    "eu-west-2": 0.111,
    "eu-west-3": 0.112,
    "eu-central-1": 0.115,
    "ap-northeast-1": 0.124,
    "ap-southeast-1": 0.120,
    "ap-southeast-2": 0.120,
    "ap-south-1": 0.101,
}
_LARGES = {"m5.large": 1, "m5.xlarge": 2, "m5.2xlarge": 4, "m5.4xlarge": 8, "m5.24xlarge": 48}


def ondemand_usd_per_h(kind: str, region: str) -> float | None:
    """None where it is not in the table: then the price has to be given."""
    larges, price = _LARGES.get(kind), _LARGE_USD_PER_H.get(region)
    return None if larges is None or price is None else larges * price
