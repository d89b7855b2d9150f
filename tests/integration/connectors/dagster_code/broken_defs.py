"""A location that its server cannot load."""

raise ImportError("no module named pandas_of_another_team")
