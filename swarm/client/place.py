"""Where a swarm is, for who does not say."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from swarm.client.errors import Unreachable


def found(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """The URL and the token of the swarm at `SWARM_URL`, whose token is in the file
    `SWARM_TOKEN_FILE`; else of the one that runs on this machine with state in `SWARM_STATE_DIR`,
    or where `swarm up` has it by itself. Raises `Unreachable`."""
    url = environ.get("SWARM_URL", "")
    if not url:
        usual = Path(environ.get("XDG_STATE_HOME", "~/.local/state")) / "swarm"
        return local(Path(environ.get("SWARM_STATE_DIR") or usual))
    file = environ.get("SWARM_TOKEN_FILE", "")
    if not file:
        raise Unreachable("SWARM_URL is set: name the file of its token in SWARM_TOKEN_FILE.")
    return url, Path(file).read_text().strip()


def local(state_dir: Path) -> tuple[str, str]:
    """The URL and the token of the swarm that `swarm up` started with this state folder. Raises
    `Unreachable` where none runs."""
    folder = state_dir.expanduser()
    try:
        running = json.loads((folder / "up.json").read_text())
        return running["url"], Path(running["token_file"]).read_text().strip()
    except (FileNotFoundError, ValueError):  # or torn, when the machine went down
        raise Unreachable(f"No swarm runs with state in {folder}: try `swarm up`.") from None
