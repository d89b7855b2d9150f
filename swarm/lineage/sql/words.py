"""Cuts a SQL text into words with one regular expression, four times as fast as a tokenizer.

It knows only what all statements of a dialect share. Whatever could be read in another way
(templates, dollar quotes, backslashes, nested comments, brackets, parameters, ...) comes out as a
word of one character that no reader knows; the text then needs the real tokenizer.
"""

import re
from functools import cache

from sqlglot.dialects.dialect import Dialect

# Others read the same characters in other ways (`[a]`, `#a`, `/` alone on a line).
DIALECTS = frozenset(
    {"", "bigquery", "databricks", "duckdb", "hive", "mysql", "postgres", "presto", "redshift"}
    | {"snowflake", "spark", "spark2", "trino"}
)

_OPERATORS = r"<=|>=|<>|!=|\|\||::|=>|//|[-+*/<>=.]"
_COMMENTS = r"--[^\n]*|/\*(?![+!]).*?\*/"


def words_of(text: str, dialect: str) -> list[str]:
    """The words of `text` in capitals, in order; each line end is a word too.

    A dotted name is one word, so are a string, a quoted name and a comment. `dialect` is one of
    `DIALECTS`.
    """
    found: list[str] = _pattern(dialect).findall(text.upper())
    return found


@cache
def name_quotes(dialect: str) -> str:
    """The characters that may stand around a part of a name."""
    known = Dialect.get_or_raise(dialect).tokenizer_class.IDENTIFIERS
    return "".join(quote for quote in known if quote in ('"', "`"))


@cache
def _pattern(dialect: str) -> re.Pattern[str]:
    tokenizer = Dialect.get_or_raise(dialect).tokenizer_class
    doubled = "|''" if "'" in tokenizer.STRING_ESCAPES else ""
    plain = r"[A-Z_]\w*+"
    quoted = "|".join(rf"{quote}[^{quote}\\\n]++{quote}(?!{quote})" for quote in '"`')
    part = f"(?:{plain}|{quoted})"
    name = rf"{part}(?:\.{part})*+(?:\.\*)?"
    string = rf"'(?:[^'\\\n]{doubled})*+'(?!')"
    number = r"\d[\w.]*+"
    parameter = "@[A-Z_]\\w*+|" if dialect == "bigquery" else ""
    words = rf"{name}|{parameter}\n|[(),;]|{string}|{number}|{_COMMENTS}|{_OPERATORS}|[^ \t]"
    return re.compile(words, re.ASCII | re.DOTALL)
