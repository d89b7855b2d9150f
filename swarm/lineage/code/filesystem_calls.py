"""Methods of the file systems of fsspec: s3fs, gcsfs, adlfs and those it makes by protocol."""

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import Effect, TouchesPath, chain, receiver
from swarm.lineage.code.texts import combine, plain
from swarm.lineage.code.values import Atom, External, ListOf, Made, Member, Value, const, of, only
from swarm.model.lineage import Access

READ, WRITE = Access.READ, Access.WRITE
_LIBRARIES = {"s3fs": "s3", "gcsfs": "gs", "adlfs": "abfss"}
_ONE = {
    **dict.fromkeys(("cat", "cat_file", "read_text", "read_bytes", "head", "tail"), READ),
    **dict.fromkeys(("pipe", "pipe_file", "write_text", "write_bytes"), WRITE),
}
_INSIDE = frozenset({"cp", "copy", "mv", "move", "rename", "cp_file"})
_UP = frozenset({"put", "put_file", "upload"})
_DOWN = frozenset({"get", "get_file", "download"})


def of_filesystem(call: Call) -> tuple[Effect, ...]:
    """The files that a method of a remote file system reads and writes."""
    if call.name not in _INSIDE | _UP | _DOWN and call.name not in _ONE:
        return ()
    protocol = protocol_of(receiver(call))
    if protocol is None or not call.args:
        return ()
    first = call.args[0]
    if call.name in _ONE:
        return (TouchesPath(_ONE[call.name], remote(first, protocol)),)
    if len(call.args) < 2:
        return ()
    second = call.args[1]
    source = first if call.name in _UP else remote(first, protocol)
    target = second if call.name in _DOWN else remote(second, protocol)
    return (TouchesPath(READ, source), TouchesPath(WRITE, target))


def protocol_of(value: Value) -> str | None:
    """The protocol of a file system; `None` when the value is none."""
    for atom in value.atoms:
        for link in chain(atom):
            maker = link.maker if isinstance(link, Made) else None
            if isinstance(link, Made) and isinstance(maker, External):
                if maker.name.partition(".")[0] in _LIBRARIES:
                    return _LIBRARIES[maker.name.partition(".")[0]]
                if maker.name == "fsspec.filesystem" and link.args:
                    return plain(link.args[0])
    return None


def remote(path: Value, protocol: str) -> Value:
    """A path of a file system as a URL."""
    atom: Atom | None = only(path)
    if isinstance(atom, ListOf):
        return of(ListOf([remote(item, protocol) for item in atom.items]))
    known = plain(path)
    if isinstance(atom, Member) or (known is not None and "://" in known):
        return path
    return path if protocol in {"file", "local"} else combine([const(f"{protocol}://"), path])
