"""The tables of the journal, the same in an SQLite file of one stream and in PostgreSQL."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

journal = MetaData()

streams = Table(
    "swarm_streams",
    journal,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("epoch", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("trimmed_seq", BigInteger, nullable=False),
)

records = Table(
    "swarm_records",
    journal,
    Column("stream_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_s", Float(53), nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,  # the key is the order on disk: appends and reads go in sequence
)

snapshots = Table(
    "swarm_snapshots",
    journal,
    Column("stream_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_s", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

payloads = Table(
    "swarm_payloads",
    journal,
    Column("task", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

results = Table(
    "swarm_results",
    journal,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("task", Text, nullable=False),
    Column("grant_no", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("task", "grant_no"),
)

keys = Table(
    "swarm_keys",
    journal,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("made_at_s", Float(53), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("expires_at_s", Float(53), nullable=False),
    Column("revoked_at_s", Float(53)),
    Column("last_used_s", Float(53)),
    Column("replaces", Text, nullable=False),
)

audit = Table(
    "swarm_audit",
    journal,
    Column("stream", Text, primary_key=True),
    Column("no", BigInteger, primary_key=True, autoincrement=False),
    Column("at_s", Float(53), nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("types", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("written", Text, nullable=False),
    Column("digest", Text, nullable=False),
)
Index("swarm_audit_newest", audit.c.stream, audit.c.at_s)
