"""The tokens of a script, a statement made of them, and looking for words in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import Token, Tokenizer, TokenType

Tokens = Sequence[Token]
MAX_NESTING = 300  # parentheses in each other
STRINGS = frozenset(
    {
        TokenType.STRING,
        TokenType.RAW_STRING,
        TokenType.HEREDOC_STRING,
        TokenType.NATIONAL_STRING,
    }
)
KINDS_OF_ROUTINES = frozenset({"FUNCTION", "PROCEDURE", "PROC", "MACRO", "TASK"})
TRANSACTION = frozenset({"TRANSACTION", "TRAN", "WORK", "DISTRIBUTED", "DEFERRED", "IMMEDIATE"})
QUERY = frozenset({"SELECT", "WITH", "VALUES"})
CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_OTHERS = frozenset(
    {"CREATE", "DROP", "TRUNCATE", "ALTER", "DECLARE", "EXEC", "EXECUTE", "IF", "WHILE", "PRINT"}
    | {"RETURN", "GO", "USE", "BEGIN", "END", "ELSE", "COMMIT", "ROLLBACK", "THROW", "RAISERROR"}
)
_HASH_COMMENTS = frozenset({"hive", "spark", "spark2"})  # Beeline leaves such lines out
STARTS = QUERY | CHANGES | _OTHERS | {"SET", "CALL"}
STRINGS = frozenset(
    {
        TokenType.STRING,
        TokenType.RAW_STRING,
        TokenType.HEREDOC_STRING,
        TokenType.NATIONAL_STRING,
    }
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Tokens of one statement. `in_block`: `INTO` names a variable there, not a table.
    `is_condition`: an expression (of `IF`, `WHILE`), not a statement. `in_branch`: it may run or
    not. `variables` are those that get the value of the expression or query."""

    tokens: Tokens
    in_block: bool = False
    is_condition: bool = False
    in_branch: bool = False
    variables: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        return int(self.tokens[0].line)

    def word(self, index: int) -> str:
        """The token at `index` in capitals, empty past the end and for strings and names."""
        if not 0 <= index < len(self.tokens):
            return ""
        return word_of(self.tokens[index])

    def text(self, sql: str) -> str:
        return sql[self.tokens[0].start : self.tokens[-1].end + 1]


@lru_cache(maxsize=64)
def _tokenizer(dialect: str) -> tuple[Dialect, type[Tokenizer]]:
    known = Dialect.get_or_raise(dialect)
    # As it comes, the tokenizer turns all that follows CALL, BEGIN and the like into one string.
    settings: dict[str, object] = {"COMMANDS": set()}
    if dialect in _HASH_COMMENTS:
        settings["COMMENTS"] = [*known.tokenizer_class.COMMENTS, "#"]
    return known, type("PlainTokenizer", (known.tokenizer_class,), settings)


def tokenize(sql: str, dialect: str) -> Tokens:
    """The tokens of `sql`; raises sqlglot's `TokenError` (an open string or comment)."""
    known, plain = _tokenizer(dialect)
    tokens: Tokens = plain(dialect=known).tokenize(sql)
    return tokens


def is_deep(tokens: Tokens) -> bool:
    """Whether parentheses are nested deeper than a parser may follow.

    sqlglot's parser is compiled: some thousand subqueries in each other end the process, with no
    error that could be caught.
    """
    depth = 0
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            depth += 1
            if depth > MAX_NESTING:
                return True
        elif token.token_type == TokenType.R_PAREN:
            depth = max(0, depth - 1)
    return False


def word_of(token: Token) -> str:
    """The token in capitals, empty for strings and quoted names."""
    if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
        return ""
    return str(token.text).upper()


def has_string(chunk: Tokens) -> bool:
    """Whether a string, dollar-quoted ones included, is among the tokens."""
    return any(token.token_type in STRINGS for token in chunk)


def top_words(tokens: Tokens) -> set[str]:
    """The words outside of parentheses."""
    depth, words = 0, set()
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif depth == 0:
            words.add(word_of(token))
    return words


def find(chunk: Tokens, words: tuple[str, ...], start: int) -> int:
    """The first of `words` outside of parentheses and CASE, else the length of `chunk`."""
    depth = 0
    for index in range(start, len(chunk)):
        token = chunk[index]
        word = word_of(token)
        if token.token_type == TokenType.L_PAREN or word == "CASE":
            depth += 1
        elif token.token_type == TokenType.R_PAREN or (depth and word == "END"):
            depth -= 1
        elif depth <= 0 and word in words:
            return index
    return len(chunk)


def divided(tokens: Tokens) -> Iterator[Tokens]:
    """The parts between commas outside of parentheses."""
    start = depth = 0
    for index, token in enumerate(tokens):
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif token.token_type == TokenType.COMMA and not depth:
            yield tokens[start:index]
            start = index + 1
    yield tokens[start:]
