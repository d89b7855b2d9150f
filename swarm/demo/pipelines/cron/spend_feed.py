"""What the campaigns cost, from the agencies' feed."""

from pathlib import Path

LAKE = "lake"
FEED = Path(LAKE) / "marketing" / "spend.csv"

if __name__ == "__main__":
    FEED.write_text("campaign,amount\n1,20.5\n2,9.5\n")
