"""The rules for calls that read or write files and objects, as tables."""

from collections.abc import Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import Effect, Rule, TouchesPath, library, made_by, receiver
from swarm.lineage.code.filesystem_calls import protocol_of, remote
from swarm.lineage.code.texts import combine, plain, texts
from swarm.lineage.code.values import DictOf, Member, PathText, Unknown, Value, const, of, only
from swarm.model.lineage import Access

READ, WRITE = Access.READ, Access.WRITE


def _path(access: Access, position: int, *keywords: str) -> Rule:
    def rule(call: Call) -> tuple[Effect, ...]:
        path = call.argument(position, *keywords)
        return () if path is None else (TouchesPath(access, path),)

    return rule


def _two_paths(call: Call) -> tuple[Effect, ...]:
    source, target = call.argument(0, "src"), call.argument(1, "dst")
    if source is None or target is None:
        return ()
    return (TouchesPath(READ, source), TouchesPath(WRITE, target))


def _open(position: int) -> Rule:
    """`open(path, mode)`; `position` is where the mode stands."""

    def rule(call: Call) -> tuple[Effect, ...]:
        path = call.argument(0, "file", "path", "urlpath", "filename", "uri")
        return () if path is None else opened(path, call.argument(position, "mode"))

    return rule


def opened(path: Value, mode: Value | None) -> tuple[Effect, ...]:
    """The accesses that a file mode allows; an unknown mode is taken for reading."""
    found: dict[Access, TouchesPath] = {}
    for text in texts(mode) if mode is not None else ["r"]:
        if any(letter in text for letter in "wax"):
            found[WRITE] = TouchesPath(WRITE, path)
        if "r" in text or not found:
            found[READ] = TouchesPath(READ, path)
        if "+" in text and "w" not in text and "x" not in text:
            found[WRITE] = TouchesPath(WRITE, path)
    return tuple(found.values())


def _method_open(call: Call) -> tuple[Effect, ...]:
    known = {"fsspec", "s3fs", "gcsfs", "adlfs", "smart_open", "pyarrow", "universal_pathlib"}
    where = receiver(call)
    if not any(library(atom) in known for atom in where.atoms):
        return ()
    protocol = protocol_of(where)
    if protocol is None or not call.args:
        return _open(1)(call)
    return opened(remote(call.args[0], protocol), call.argument(1, "mode"))


_PATH_READS = {"read_text", "read_bytes"}
_PATH_WRITES = {"write_text", "write_bytes"}
_PATH_MOVES = {"rename", "replace", "copy", "move"}


def of_path(call: Call, owner: PathText) -> tuple[Effect, ...]:
    path = of(owner)
    if call.name in _PATH_READS:
        return (TouchesPath(READ, path),)
    if call.name in _PATH_WRITES:
        return (TouchesPath(WRITE, path),)
    if call.name == "open":
        return opened(path, call.argument(0, "mode"))
    if call.name in _PATH_MOVES and call.args:
        return (TouchesPath(READ, path), TouchesPath(WRITE, call.args[0]))
    return ()


def s3_url(bucket: Value | None, key: Value | None) -> Value:
    """The URL of an object; what is not given is unknown."""
    parts = [bucket or of(Unknown("Bucket")), const("/"), key or of(Unknown("Key"))]
    return combine([const("s3://"), *parts])


def _object(access: Access, bucket: int, key: int, local: int = -1) -> Rule:
    """An object named by bucket and key; a local file on the other side of the copy."""
    other = READ if access is WRITE else WRITE

    def rule(call: Call) -> tuple[Effect, ...]:
        where = call.argument(bucket, "Bucket", "bucket_name", "bucket")
        what = call.argument(key, "Key", "key")
        if where is None and isinstance(call.function, Member):
            return _object_of_bucket(call, access)
        if what is None:
            return ()
        found: list[Effect] = [TouchesPath(access, s3_url(where, what))]
        file = call.argument(local, "Filename", "filename")
        if file is not None:
            found.append(TouchesPath(other, file))
        return tuple(found)

    return rule


def _object_of_bucket(call: Call, access: Access) -> tuple[Effect, ...]:
    """`s3.Bucket(b).upload_file(file, key)`, `s3.Object(b, k).put(...)`."""
    made = made_by(receiver(call), {"Bucket", "Object"})
    if made is None:
        return ()
    bucket = made.args[0] if made.args else made.kwargs.get("name")
    key = made.args[1] if len(made.args) > 1 else made.kwargs.get("key")
    if key is None:
        position = 1 if call.name.startswith("upload") else 0
        key = call.argument(position, "Key")
    return (TouchesPath(access, s3_url(bucket, key)),)


def _upload(call: Call) -> tuple[Effect, ...]:
    if len(call.args) + len(call.kwargs) < 3:
        return _object_of_bucket(call, WRITE)
    return _object(WRITE, 1, 2, 0)(call)


def _download(call: Call) -> tuple[Effect, ...]:
    if len(call.args) + len(call.kwargs) < 3:
        return _object_of_bucket(call, READ)
    return _object(READ, 0, 1, 2)(call)


def _copy_object(call: Call) -> tuple[Effect, ...]:
    target = s3_url(call.argument(-1, "Bucket"), call.argument(-1, "Key"))
    source = call.argument(0, "CopySource")
    if source is None:
        return ()
    atom = only(source)
    if isinstance(atom, DictOf):
        found = s3_url(atom.items.get("Bucket"), atom.items.get("Key"))
    else:
        found = combine([const("s3://"), source])
    return (TouchesPath(READ, found), TouchesPath(WRITE, target))


def _body(call: Call, access: Access) -> tuple[Effect, ...]:
    return _object_of_bucket(call, access) if made_by(receiver(call), {"Object"}) else ()


def _hook_object(access: Access, key: int, bucket: int) -> Rule:
    """Airflow's S3Hook: `load_string(text, key, bucket)`, `read_key(key, bucket)`."""

    def rule(call: Call) -> tuple[Effect, ...]:
        name = call.argument(key, "key")
        where = call.argument(bucket, "bucket_name")
        if name is None:
            return ()
        known = plain(name) or ""
        path = name if known.startswith("s3://") else s3_url(where, name)
        return (TouchesPath(access, path),)

    return rule


_READER_NAMES = """
    read_csv read_parquet read_json read_excel read_feather read_orc read_pickle read_fwf
    read_avro read_ndjson read_ipc read_delta read_hdf read_stata read_sas read_xml read_text
    scan_csv scan_parquet scan_ndjson scan_ipc scan_delta
    read_csv_auto from_csv_auto from_parquet
"""
_WRITER_NAMES = """
    to_csv to_parquet to_json to_excel to_feather to_orc to_pickle to_hdf to_stata to_xml
    write_csv write_parquet write_json write_ndjson write_excel write_ipc write_avro write_delta
    sink_csv sink_parquet sink_ndjson sink_ipc
"""
_FILE_NAMES = """
    filepath_or_buffer path_or_buf path path_or_buffer excel_writer io source file target
    filename root_path workbook table_uri
"""
_FILE_KEYWORDS = _FILE_NAMES.split()
PATHS_BY_NAME: Mapping[str, Rule] = {
    **{name: _path(READ, 0, *_FILE_KEYWORDS) for name in _READER_NAMES.split()},
    **{name: _path(WRITE, 0, *_FILE_KEYWORDS) for name in _WRITER_NAMES.split()},
    "get_object": _object(READ, -1, -1),
    "put_object": _object(WRITE, -1, -1),
    "upload_file": _upload,
    "upload_fileobj": _upload,
    "download_file": _download,
    "download_fileobj": _download,
    "copy_object": _copy_object,
    "put": lambda call: _body(call, WRITE),
    "get": lambda call: _body(call, READ),
    "load_string": _hook_object(WRITE, 1, 2),
    "load_bytes": _hook_object(WRITE, 1, 2),
    "load_file": _hook_object(WRITE, 1, 2),
    "load_file_obj": _hook_object(WRITE, 1, 2),
    "read_key": _hook_object(READ, 0, 1),
    "open": _method_open,
}
PATHS_BY_FULL_NAME: Mapping[str, Rule] = {
    "builtins.open": _open(1),
    "io.open": _open(1),
    "codecs.open": _open(1),
    "gzip.open": _open(1),
    "bz2.open": _open(1),
    "lzma.open": _open(1),
    "fsspec.open": _open(1),
    "smart_open.open": _open(1),
    "shutil.copy": _two_paths,
    "shutil.copy2": _two_paths,
    "shutil.copyfile": _two_paths,
    "shutil.copytree": _two_paths,
    "shutil.move": _two_paths,
    "os.rename": _two_paths,
    "os.replace": _two_paths,
    "pyarrow.parquet.read_table": _path(READ, 0, "source"),
    "pyarrow.parquet.ParquetFile": _path(READ, 0, "source"),
    "pyarrow.parquet.write_table": _path(WRITE, 1, "where"),
    "pyarrow.parquet.ParquetDataset": _path(READ, 0, "path_or_paths"),
    "pyarrow.parquet.read_metadata": _path(READ, 0, "where"),
    "pyarrow.parquet.read_schema": _path(READ, 0, "where"),
    "pyarrow.parquet.read_pandas": _path(READ, 0, "source"),
    "pyarrow.parquet.write_to_dataset": _path(WRITE, 1, "root_path"),
    "pyarrow.dataset.dataset": _path(READ, 0, "source"),
    "pyarrow.dataset.write_dataset": _path(WRITE, 1, "base_dir"),
    "pyarrow.csv.read_csv": _path(READ, 0, "input_file"),
    "pyarrow.csv.write_csv": _path(WRITE, 1, "output_file"),
    "pandas.read_table": _path(READ, 0, "filepath_or_buffer"),
    "numpy.load": _path(READ, 0, "file"),
    "numpy.save": _path(WRITE, 0, "file"),
}
