"""Requests to an object store, out of S3 server access logs and CloudTrail.

Rules
1. A GET that was answered is a read, a PUT a write, a copy both. HEAD, LIST and DELETE are neither.
2. What a framework writes in many files is one dataset, the folder: `part-00000-...` and the
   like, and partition folders `day=2024-01-31`, are left out of the name.
3. Marks and working files (`_SUCCESS`, `_temporary/`) are no datasets.
4. With CloudTrail, `AssumeRole` tells the session name and tags of the key that it hands out.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import unquote, unquote_plus

from swarm.lineage.history.statement import MalformedRow, Statement, time_s
from swarm.lineage.naming import dataset_from_url
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Channel

Row = Mapping[str, object]

_LINE = re.compile(
    r"(?P<owner>\S+) (?P<bucket>\S+) \[(?P<time>[^\]]+)\] (?P<ip>\S+) (?P<user>\S+) "
    r'(?P<request>\S+) (?P<operation>\S+) (?P<key>\S+) (?P<uri>"[^"]*"|-) (?P<status>\d{3}|-) '
    r'(?P<error>\S+) \S+ \S+ \S+ \S+ (?P<referrer>"[^"]*"|-) (?P<agent>"(?:[^"\\]|\\.)*"|-)'
)
_LOG_READS = frozenset(
    {
        "REST.GET.OBJECT",
        "REST.COPY.OBJECT_GET",
        "REST.COPY.PART_GET",
        "REST.SELECT.OBJECT",
        "WEBSITE.GET.OBJECT",
    }
)
_LOG_WRITES = frozenset(
    {
        "REST.PUT.OBJECT", "REST.POST.OBJECT", "REST.COPY.OBJECT", "REST.PUT.PART",
        "REST.COPY.PART", "REST.POST.UPLOAD",
    }
)  # fmt: skip
_TRAIL_READS = frozenset({"GetObject", "SelectObjectContent"})
_TRAIL_WRITES = frozenset({"PutObject", "PostObject", "CompleteMultipartUpload", "UploadPart"})
_TRAIL_COPIES = frozenset({"CopyObject", "UploadPartCopy"})
_SOURCES = frozenset({"s3.amazonaws.com", "s3express.amazonaws.com"})
_SESSION_NAME = re.compile(r":assumed-role/[^/]+/(.+)$")

_WORKING = re.compile(r"(?:^|/)(?:_temporary|_spark_metadata|\.spark-staging[^/]*)/")
_MARK = re.compile(r"(?:_SUCCESS|_started_.*|_committed_.*|\..*\.crc|.*_\$folder\$)$")
_PIECE = re.compile(r"part-\d[\w.=-]*$|\d{6}_\d+(?:_\d+)?$|\d{8}_\d{6}_\d{5}_\w+$")
_PARTITION = re.compile(r"[\w.-]+=[^/]*$")


def object_dataset(bucket: str, key: str) -> DatasetKey | None:
    """The dataset an object is part of; `None` for what is no data."""
    folder, slash, name = key.rpartition("/")
    if not name or _WORKING.search(key) or _MARK.match(name):
        return None
    head, delta, _ = key.partition("/_delta_log/")
    if delta:
        return dataset_from_url(f"s3://{bucket}/{head}")
    path = key
    pieces = slash and (_PIECE.match(name) or _PARTITION.match(folder.rpartition("/")[2]))
    if pieces:
        path = folder
        while _PARTITION.match(path.rpartition("/")[2]):
            path = path.rpartition("/")[0]
    return dataset_from_url(f"s3://{bucket}/{path or key}")


def from_s3_log(line: str) -> Statement | None:
    """One line of a server access log; `None` if it moved no data. Raises `MalformedRow`."""
    match = _LINE.match(line)
    if match is None:
        raise MalformedRow("not a line of an S3 server access log")
    operation, status = match["operation"], match["status"]
    reads, writes = operation in _LOG_READS, operation in _LOG_WRITES
    # 304: the reader has the object already, and depends on it all the same.
    done = status.startswith("2") or (reads and status == "304")
    if not (reads or writes) or not done or match["key"] == "-":
        return None
    dataset = object_dataset(match["bucket"], unquote(match["key"]))
    keys = () if dataset is None else (dataset,)
    at_s = _log_time_s(match["time"])
    return Statement(
        text="",
        user=match["user"],
        started_at_s=at_s,
        ended_at_s=at_s,
        tags=_session_tags(match["user"], match["agent"].strip('"')),
        reads=keys if reads else (),
        writes=keys if writes else (),
        channel=Channel.ACCESS_LOG,
    )


def from_cloudtrail(row: Row) -> Statement | None:
    """One event; `None` if it moved no data. Raises `MalformedRow`."""
    if row.get("errorCode"):
        return None
    name = _text(row, "eventName")
    if name in ("AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"):
        return _session(row)
    identity = _below(row, "userIdentity")
    if _text(row, "eventSource") not in _SOURCES or identity.get("type") == "AWSService":
        return None
    if name not in _TRAIL_READS | _TRAIL_WRITES | _TRAIL_COPIES:
        return None
    parameters = _below(row, "requestParameters")
    target = _target(parameters)
    reads = (target,) if name in _TRAIL_READS else ()
    if name in _TRAIL_COPIES:
        source = unquote_plus(_text(parameters, "x-amz-copy-source")).partition("?versionId=")[0]
        bucket, _, key = source.lstrip("/").partition("/")
        reads = (object_dataset(bucket, key),) if bucket and key else ()
    writes = () if name in _TRAIL_READS else (target,)
    at_s = time_s(row.get("eventTime"), "eventTime")
    user = _text(identity, "arn")
    return Statement(
        text="",
        user=user,
        started_at_s=at_s,
        ended_at_s=at_s,
        tags=_session_tags(user, _text(row, "userAgent").strip("[]")),
        reads=tuple(key for key in reads if key is not None),
        writes=tuple(key for key in writes if key is not None),
        channel=Channel.ACCESS_LOG,
        id=_text(row, "eventID"),
        parent=_text(identity, "accessKeyId"),
    )


def _session(row: Row) -> Statement:
    """Does nothing itself, and is the parent of what is done with the key it handed out."""
    parameters = _below(row, "requestParameters")
    tags = {"role_session_name": _text(parameters, "roleSessionName")}
    listed = parameters.get("tags")
    for tag in listed if isinstance(listed, list) else []:
        if isinstance(tag, dict):
            tags[_text(tag, "key")] = _text(tag, "value")
    at_s = time_s(row.get("eventTime"), "eventTime")
    key = _text(_below(_below(row, "responseElements"), "credentials"), "accessKeyId")
    return Statement("", "", at_s, at_s, tags, channel=Channel.ACCESS_LOG, id=key)


def _target(parameters: Row) -> DatasetKey | None:
    bucket, key = _text(parameters, "bucketName"), _text(parameters, "key")
    if not bucket or not key:
        raise MalformedRow("`requestParameters` needs `bucketName` and `key`")
    return object_dataset(bucket, key)


def _session_tags(user: str, agent: str) -> dict[str, str]:
    tags = {"user_agent": agent} if agent not in ("", "-") else {}
    if match := _SESSION_NAME.search(user):
        tags["role_session_name"] = match.group(1)
    return tags


def _log_time_s(text: str) -> float:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        raise MalformedRow(f"the time is not readable: {text[:50]!r}") from None


def _below(row: Row, name: str) -> Row:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
