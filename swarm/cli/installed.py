"""What swarm can be installed from again: another interpreter, another machine, a newer version.

Never from its name alone: what package indexes call `swarm` is another program, by others.
"""

import json
import shlex
from importlib import metadata
from urllib.parse import unquote, urlsplit

UNKNOWN = "CHECKOUT"
"""Stands for a folder with swarm's source, where nobody noted what this one came from."""


def source() -> str:
    """What `pip install` takes to install this swarm once more: the folder, file or address that
    it was installed from (as PEP 610 has installers note it), or `UNKNOWN`."""
    try:
        noted = metadata.distribution("swarm").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        noted = None
    return UNKNOWN if noted is None else of_note(noted)


def of_note(noted: str) -> str:
    """The same of such a note, quoted for a shell."""
    told = json.loads(noted)
    url = str(told["url"])
    if "vcs_info" in told:
        url = f"{told['vcs_info']['vcs']}+{url}"
    parts = urlsplit(url)
    return shlex.quote(unquote(parts.path) if parts.scheme == "file" else url)
