"""ClickHouse: tables and dictionaries whose rows are elsewhere, by engine, function or source."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.draft import Draft, named
from swarm.lineage.sql.effects import (
    DIRECTORY,
    Accessed,
    Created,
    Defined,
    Effect,
    Name,
    NotUnderstood,
)
from swarm.lineage.sql.foreign import jdbc_table
from swarm.lineage.sql.places import Argument, rows_of
from swarm.lineage.sql.tokens import STRINGS, Statement, word_of
from swarm.model.lineage import Access, UnresolvedReason

_QUERY = frozenset({"SELECT", "WITH", "FROM", "VALUES"})
_OWN_DATABASES = frozenset({"ATOMIC", "ORDINARY", "LAZY", "REPLICATED", "SHARED", "MEMORY"})
_OWN_HANDLERS = ("iceberg", "hiveiceberg", "delta", "hudi")  # of tables with files of their own
_PLACES = frozenset({"URL", "PATH"})


def created_elsewhere(statement: Statement, dialect: str) -> list[Effect] | None:
    """What a CREATE TABLE or DICTIONARY of ClickHouse, or one of files or another server in MySQL,
    Oracle, PostgreSQL and Hive, does; None: its syntax tree tells."""
    draft = Draft(list(statement.tokens))
    head = [draft.word(index) for index in range(5)]
    kind = next((i for i, word in enumerate(head) if word in ("TABLE", "DICTIONARY")), 0)
    if head[0] == "CREATE" and "DATABASE" in head and dialect == "clickhouse":
        return _database(draft)
    if head[0] != "CREATE" or not kind:
        return None
    start = kind + 1
    while draft.word(start) in ("IF", "NOT", "EXISTS"):
        start += 1
    name, index = named(draft, start)
    if name is None:
        return None
    if head[kind] == "DICTIONARY":
        return _dictionary(draft, name, index)
    if dialect != "clickhouse":
        return _ELSEWHERE[dialect](draft, name)
    return _table(draft, name, index, temporary="TEMPORARY" in head[:kind])


def _database(draft: Draft) -> list[Effect]:
    """`CREATE DATABASE d ENGINE = PostgreSQL(...)`: its tables are those of another server."""
    engine = draft.next_of(frozenset({"ENGINE"}), 0) + 2
    if draft.word(engine) in _OWN_DATABASES or engine >= len(draft.tokens):
        return []
    line = int(draft.tokens[0].line)
    detail = f"the tables of a database are elsewhere: {draft.tokens[engine].text}"
    return [NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)]


def _table(draft: Draft, name: Name, index: int, *, temporary: bool) -> list[Effect] | None:
    engine = draft.next_of(frozenset({"ENGINE"}), index) + 1
    if engine < len(draft.tokens):
        engine += draft.tokens[engine].token_type == TokenType.EQ
        found = _elsewhere(draft, name, engine)
        if found is not None:
            return found
    source = draft.next_of(frozenset({"AS"}), index) + 1
    is_group = source < len(draft.tokens) and draft.tokens[source].token_type == TokenType.L_PAREN
    if source >= len(draft.tokens) or draft.word(source) in _QUERY or is_group:
        return None
    if draft.behind_group(source + 1) > source + 1:
        return _elsewhere(draft, name, source) or None
    made: list[Effect] = [Created(name, temporary), Accessed(Access.WRITE, name)]
    other, _ = named(draft, source)
    if draft.word(source - 2) == "CLONE" and other is not None:
        made.insert(0, Accessed(Access.READ, other))
    return made  # else only the columns of the other table


def _elsewhere(draft: Draft, name: Name, index: int) -> list[Effect] | None:
    """The table as a name for the rows of the engine or function at `index`."""
    function = draft.tokens[index].text if index < len(draft.tokens) else ""
    group = draft.tokens[index + 2 : draft.behind_group(index + 1) - 1]
    arguments = [_argument(part) for part in _divided(group)]
    if function.casefold() == "file" and arguments and not arguments[0].is_text:
        arguments = arguments[1:]  # File(CSV) keeps rows of its own, File(CSV, 'path') does not
        if not arguments:
            return None
    if function.casefold() == "kafka":
        return _kafka(draft, name, arguments)
    found = rows_of(function, arguments, name.line)
    return _defined(name, found) if found else None


def _defined(name: Name, found: Sequence[Effect]) -> list[Effect]:
    reads = tuple(effect.name for effect in found if isinstance(effect, Accessed))
    problems = [effect for effect in found if isinstance(effect, NotUnderstood)]
    return [*problems, *([Defined(name, reads)] if reads else [])]


def _federated(draft: Draft, name: Name) -> list[Effect] | None:
    """MySQL: ENGINE=FEDERATED CONNECTION='mysql://user:password@host:3306/db/table'."""
    places = draft.places("CONNECTION")
    url = draft.string(places[0] + 2) if places else None
    if url is None or not draft.places("FEDERATED"):
        return None
    scheme, _, rest = url.text.partition("://")
    if not rest:
        detail = f"the connection of {'.'.join(name.parts)} is defined on the server"
        return [NotUnderstood(UnresolvedReason.DYNAMIC, name.line, detail)]
    host = rest.rpartition("@")[2]
    return [Defined(name, (Name(line=name.line, url=f"{scheme}://{host}"),))]


def _external(draft: Draft, name: Name) -> list[Effect] | None:
    """Oracle: the files of an external table are in a directory that the server knows."""
    if not draft.places("ORGANIZATION", "EXTERNAL"):
        return None
    default = draft.places("DEFAULT", "DIRECTORY")
    folder = draft.tokens[default[0] + 2].text if default else ""
    places = draft.places("LOCATION")
    end = draft.behind_group(places[0] + 1) if places else 0
    files: list[Name] = []
    for index in range(places[0] + 2 if places else 0, end - 1):
        file = draft.string(index)
        own = draft.word(index - 1) == ":"  # LOCATION (other:'x.csv')
        if file is not None:
            start = draft.tokens[index - 2].text if own else folder
            files.append(Name(line=name.line, url=f"{DIRECTORY}{start}/{file.text}"))
    if files and folder:
        return [Defined(name, tuple(files))]
    detail = f"the files of {'.'.join(name.parts)} are in a directory that the server knows"
    return [NotUnderstood(UnresolvedReason.DYNAMIC, name.line, detail)]


def _foreign(draft: Draft, name: Name) -> list[Effect] | None:
    """PostgreSQL: CREATE FOREIGN TABLE f (...) SERVER s OPTIONS (filename '/in/x.csv')."""
    places = draft.places("FILENAME")
    path = draft.string(places[0] + 1) if places else None
    if draft.word(1) != "FOREIGN":
        return None
    if path is None:
        detail = f"the rows of {'.'.join(name.parts)} are on a server that is defined elsewhere"
        return [NotUnderstood(UnresolvedReason.DYNAMIC, name.line, detail)]
    return [Defined(name, (Name(line=name.line, url=path.text),))]


def _handled(draft: Draft, name: Name) -> list[Effect] | None:
    """Hive: STORED BY 'handler' TBLPROPERTIES ('hive.sql.table' = ...): rows of another system."""
    places = draft.places("STORED", "BY")
    handler = draft.string(places[0] + 2) if places else None
    if handler is None or any(known in handler.text.casefold() for known in _OWN_HANDLERS):
        return None
    texts = [token.text if token.token_type in STRINGS else "" for token in draft.tokens]
    options = {key: value for key, value in zip(texts, texts[2:], strict=False) if key and value}
    table, url = options.get("hive.sql.table", ""), options.get("hive.sql.jdbc.url", "")
    place = jdbc_table(url, table, name.line) if url else None
    topic, brokers = options.get("kafka.topic", ""), options.get("kafka.bootstrap.servers", "")
    if topic and brokers:
        place = Name(line=name.line, url=f"kafka://{brokers.partition(',')[0]}/{topic}")
    if isinstance(place, Name):
        return [Defined(name, (place,))]
    detail = f"where the rows of {'.'.join(name.parts)} are, {handler.text} knows"
    return [NotUnderstood(UnresolvedReason.DYNAMIC, name.line, detail)]


def _kafka(draft: Draft, name: Name, arguments: Sequence[Argument]) -> list[Effect]:
    """A queue is its topics; the first broker stands for all."""
    settings = [
        draft.string(index + 2)
        for word in ("KAFKA_BROKER_LIST", "KAFKA_TOPIC_LIST")
        for index in draft.places(word)
    ]
    texts = [setting.text for setting in settings if setting is not None]
    if len(texts) < 2:
        texts = [argument.parts[0] for argument in arguments[:2] if argument.is_text]
    if len(texts) < 2:
        detail = "the brokers and topics of Kafka are not in the text"
        return [NotUnderstood(UnresolvedReason.DYNAMIC, name.line, detail)]
    broker = texts[0].partition(",")[0].strip()
    topics = [topic.strip() for topic in texts[1].split(",")]
    names = [Name(line=name.line, url=f"kafka://{broker}/{topic}") for topic in topics if topic]
    return [Defined(name, tuple(names))]


def _dictionary(draft: Draft, name: Name, index: int) -> list[Effect]:
    """SOURCE(CLICKHOUSE(DB 'shop' TABLE 'people')), SOURCE(HTTP(URL 'https://...'))."""
    source = draft.next_of(frozenset({"SOURCE"}), index) + 2
    kind = draft.word(source)
    options = dict(_options(draft.tokens[source + 2 : draft.behind_group(source + 1) - 1]))
    path = next((options[key] for key in _PLACES if key in options), "")
    found: list[Effect] = []
    if path:
        found = [Accessed(Access.READ, Name(line=name.line, url=path))]
    elif "TABLE" in options and kind in ("CLICKHOUSE", "MYSQL", "POSTGRESQL"):
        function = "remote" if kind == "CLICKHOUSE" else kind
        host = options.get("HOST", "localhost" if kind == "CLICKHOUSE" else "")
        port = options.get("PORT", "")
        keys = (f"{host}:{port}" if port else host, options.get("DB", ""), options["TABLE"])
        texts = [key for key in keys if key or kind != "CLICKHOUSE"]
        arguments = [Argument((key,) if key else (), is_text=True) for key in texts]
        found = rows_of(function, arguments, name.line)
    if not found:
        detail = f"what the dictionary {'.'.join(name.parts)} is made from is not known"
        found = [NotUnderstood(UnresolvedReason.DYNAMIC, name.line, detail)]
    return _defined(name, found)


def _options(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    for index, token in enumerate(tokens[:-1]):
        value = tokens[index + 1]
        if value.token_type in STRINGS or value.token_type == TokenType.NUMBER:
            yield word_of(token), value.text


def _divided(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The arguments between commas."""
    start = depth = 0
    for index, token in enumerate(tokens):
        if token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET):
            depth += 1
        elif token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET):
            depth -= 1
        elif token.token_type == TokenType.COMMA and depth == 0:
            yield tokens[start:index]
            start = index + 1
    if tokens:
        yield tokens[start:]


def _argument(tokens: Sequence[Token]) -> Argument:
    if len(tokens) == 1 and tokens[0].token_type in STRINGS:
        return Argument((tokens[0].text,), is_text=True)
    if any(token.token_type == TokenType.L_PAREN for token in tokens):
        return Argument()  # currentDatabase() and the like
    parts = tuple(token.text for token in tokens if token.token_type != TokenType.DOT)
    return Argument(parts) if len(tokens) == 2 * len(parts) - 1 else Argument()


_ELSEWHERE: Mapping[str, Callable[[Draft, Name], list[Effect] | None]] = {
    "mysql": _federated,
    "oracle": _external,
    "postgres": _foreign,
    "hive": _handled,
    "spark": _handled,
}
ELSEWHERE = frozenset({*_ELSEWHERE, "clickhouse"})  # dialects with tables of rows elsewhere
