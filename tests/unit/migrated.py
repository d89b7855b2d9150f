"""A store whose tables are there: migrated once in each process, and copied from then on.

What is copied is what a start without it makes, file by file; each test has files of its own.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from swarm.store.journal import open_journal
from swarm.store.outputs import open_outputs
from swarm.store.places import file_stem
from swarm.store.projector import open_projector

_STREAM = "streams/{}.db"
_ONE = "keys"


@functools.cache
def _files() -> Mapping[str, bytes]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        journal = open_journal("", folder)
        journal.keys()
        for one in (journal, open_projector("", folder), open_outputs("", folder)):
            one.close()
        files = (_STREAM.format(_ONE), "projections.db", "outputs.db")
        return {file: (folder / file).read_bytes() for file in files}


def lay_out(folder: Path, *streams: str) -> None:
    """Put the tables of these streams, of the projections and the outputs into a new folder."""
    files = dict(_files())
    stream = files.pop(_STREAM.format(_ONE))
    files |= {_STREAM.format(file_stem(name)): stream for name in streams}
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
