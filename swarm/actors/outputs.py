"""What tasks print: one file for each grant of a task."""

from pathlib import Path
from urllib.parse import quote

from swarm.model.work import TaskId


class Outputs:
    """A folder of outputs, written by slots and read by the API."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, task: TaskId, grant: int) -> Path:
        """Where a grant's output goes; the folder is made."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._file(task, grant)

    def read(self, task: TaskId, grant: int, offset: int, most: int) -> bytes:
        """At most `most` bytes from `offset` on; nothing where nothing was printed."""
        try:
            with self._file(task, grant).open("rb") as file:
                file.seek(offset)
                return file.read(most)
        except FileNotFoundError:
            return b""

    def _file(self, task: TaskId, grant: int) -> Path:
        return self._folder / f"{quote(task, safe='')}.{grant}"
