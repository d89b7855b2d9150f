"""Objects in the clients of Google's and Azure's storage, and tables of Delta Lake."""

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import Effect, TouchesPath, TouchesTable, chain, library
from swarm.lineage.code.texts import combine, plain
from swarm.lineage.code.values import Atom, Made, Member, Unknown, Value, const, of
from swarm.model.lineage import Access

READ, WRITE = Access.READ, Access.WRITE
_DOWNLOADS = {"download_to_filename", "download_as_text", "download_as_bytes"}
_DOWNLOADS |= {"download_as_string", "download_to_file", "download_blob"}
_UPLOADS = {"upload_from_filename", "upload_from_string", "upload_from_file", "upload_blob"}
_DELTA_WRITES = {"merge", "delete", "update", "updateAll", "restoreToVersion", "restoreToTimestamp"}
_DELTA_READS = {"toDF", "history"}
_DELTA_MAKERS = {"forPath", "forName"}


def of_blob(call: Call) -> tuple[Effect, ...]:
    """The effects of a method of a blob, a container or a Delta table; none for other calls."""
    if not isinstance(call.function, Member):
        return ()
    owner = call.function.owner
    if call.name in _DELTA_WRITES | _DELTA_READS:
        return _of_delta(call, owner)
    if call.name == "copy_blob" and len(call.args) > 1:
        source = _google(call.args[0].atoms[0])
        bucket = _part(call.args[1].atoms[0], {"bucket", "get_bucket"}, "bucket_name")
        name = call.argument(2, "new_name")
        target = _url("gs", bucket, name) if name is not None else None
        found = ((READ, source), (WRITE, target))
        return tuple(TouchesPath(access, url) for access, url in found if url is not None)
    if call.name not in _DOWNLOADS | _UPLOADS:
        return ()
    access = READ if call.name in _DOWNLOADS else WRITE
    url = _azure(call, owner) if library(owner) == "azure" else _google(owner)
    if url is None:
        return ()
    other = WRITE if access is READ else READ
    local = call.argument(0, "filename") if call.name.endswith("_filename") else None
    found_local = (TouchesPath(other, local),) if local is not None else ()
    return (TouchesPath(access, url), *found_local)


def _links(atom: Atom, names: set[str]) -> list[Made]:
    """The calls to one of `names` that an object comes from, nearest first."""
    return [
        link
        for link in chain(atom)
        if isinstance(link, Made) and isinstance(link.maker, Member) and link.maker.name in names
    ]


def _part(atom: Atom, names: set[str], keyword: str) -> Value | None:
    """What a call to one of `names` was given first."""
    for link in _links(atom, names):
        return link.kwargs.get(keyword) or (link.args[0] if link.args else None)
    return None


def _url(scheme: str, bucket: Value | None, name: Value) -> Value:
    known = bucket or of(Unknown("bucket"))
    return combine([const(f"{scheme}://"), known, const("/"), name])


def _google(atom: Atom) -> Value | None:
    name = _part(atom, {"blob", "get_blob"}, "blob_name")
    if name is None:
        return None
    return _url("gs", _part(atom, {"bucket", "get_bucket"}, "bucket_name"), name)


def _azure(call: Call, owner: Atom) -> Value | None:
    container = _part(owner, {"get_container_client"}, "container")
    name: Value | None = None
    for link in _links(owner, {"get_blob_client"}):
        given = [*link.args, None, None]
        container = link.kwargs.get("container") or container or given[0]
        first = given[1] if link.args[1:] else given[0]
        name = link.kwargs.get("blob") or first
    if name is None and call.name == "upload_blob":
        name = call.argument(0, "name")
    if name is None:
        return None
    account = _account(owner)
    known = container or of(Unknown("container"))
    return combine([const("wasbs://"), known, const(f"@{account}/"), name])


def _account(owner: Atom) -> str:
    for link in chain(owner):
        url = link.kwargs.get("account_url") if isinstance(link, Made) else None
        if url is None and isinstance(link, Made) and link.args:
            url = link.args[0]
        known = plain(url) if url is not None else None
        if known is not None and "://" in known:
            return known.partition("://")[2].rstrip("/")
    return "account"


def _of_delta(call: Call, owner: Atom) -> tuple[Effect, ...]:
    """`DeltaTable.forPath(spark, path)` and `forName`, which say nothing until they are used."""
    access = READ if call.name in _DELTA_READS else WRITE
    for link in chain(owner):
        maker = link.maker if isinstance(link, Made) else None
        name = getattr(maker, "name", "").rpartition(".")[2]
        if isinstance(link, Made) and name in _DELTA_MAKERS and link.args:
            target = link.args[-1]
            if name == "forPath":
                return (TouchesPath(access, target),)
            return (TouchesTable(access, target, link.args[0]),)
    return ()
