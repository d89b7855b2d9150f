"""Access logs where S3 itself puts them: objects under a prefix, each read once."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from swarm.connectors.history.files import unpacked
from swarm.errors import Unauthorized, Unavailable

_LATE_S = 3600.0  # objects may become visible so long after later ones

_FORBIDDEN = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403"})


@dataclass(frozen=True, slots=True)
class Seen:
    """Objects changed before `since_s` are read, of later ones those in `keys`."""

    since_s: float = 0.0
    keys: frozenset[str] = frozenset()


class Bucket:
    """The objects under `prefix`, with the credentials that the AWS SDK finds by itself."""

    def __init__(self, bucket: str, prefix: str, timeout_s: float) -> None:
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=timeout_s, read_timeout=timeout_s)
        self._client: Any = boto3.client("s3", config=config)
        self._bucket, self._prefix = bucket, prefix

    def new(self, seen: Seen) -> tuple[list[str], Seen]:
        """The keys to read now, oldest first, and what will be seen then."""
        found = sorted((at_s, key) for at_s, key in self._listed() if at_s >= seen.since_s)
        keys = [key for _, key in found if key not in seen.keys]
        since_s = max([seen.since_s, *(at_s - _LATE_S for at_s, _ in found)])
        return keys, Seen(since_s, frozenset(key for at_s, key in found if at_s >= since_s))

    def open(self, key: str) -> IO[bytes]:
        """The whole object, unpacked."""
        with _translated(f"s3://{self._bucket}/{key}"):
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        file = io.BytesIO(body)
        return unpacked(file, key) if body.startswith(b"\x1f\x8b") else file

    def _listed(self) -> Iterator[tuple[float, str]]:
        with _translated(f"s3://{self._bucket}/{self._prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    if item["Size"]:
                        yield item["LastModified"].timestamp(), item["Key"]


class _translated:
    """What boto3 raises, as errors of swarm."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        if isinstance(error, ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            wrong = Unauthorized if code in _FORBIDDEN else Unavailable
            raise wrong(f"{self._what}: S3 answers {code or error}.") from error
        if isinstance(error, NoCredentialsError):
            detail = "no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID"
            raise Unauthorized(f"{self._what}: {detail}.") from error
        if isinstance(error, BotoCoreError):
            raise Unavailable(f"{self._what}: {error}.") from error
