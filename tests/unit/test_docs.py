"""What the documents name exists: files, commands, options, settings, routes, metrics, messages.

A document that names what is gone fails here, with the place of the name.
"""

import ast
import json
import re
import shlex
import types
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import typer.main
import yaml
from pydantic import BaseModel

from swarm import config
from swarm.api import task_schemas
from swarm.api.roles import ROUTES
from swarm.cli.main import app
from swarm.config import Settings
from swarm.telemetry import METRICS
from tests.unit.documents import ROOT, Block, blocks, documents, spans

README_LINES_MAX = 200
SOURCE = ROOT / "swarm"
FAILURES = SOURCE / "FAILURES.md"
EACH = pytest.mark.parametrize(
    "document", documents(), ids=lambda path: str(path.relative_to(ROOT))
)

# Names of what is not ours, where they look like something that is.
THEIR_OPTIONS = {"--query_file"}
THEIR_FILES = ("load.py", "flow.py", "bigquery_etl/", "api_connexion/")
# What plug-ins write beginning with the name, and what is no command.
SAYINGS = ("swarm ...", "swarm leaves it out")
THEIR_KEYS = {"executor", "provider"}
SHELLS = ("sh", "")


# --- files ---------------------------------------------------------------------------------------


@EACH
def test_links_lead_somewhere(document):
    assert [at for at, target in links(document) if not leads(document, target)] == []


@EACH
def test_files_that_are_named_are_there(document):
    named = [(at, path) for at, text in spans(document) for path in paths_in(text)]
    assert [(at, path) for at, path in named if not found(document, path)] == []


def test_every_document_is_named_by_another():
    named = {
        place.resolve()
        for document in documents()
        for _, text in [*spans(document), *links(document)]
        for path in [*paths_in(text), text.partition("#")[0]]
        for place in found(document, path)
        if place != document
    }
    alone = [path for path in documents() if path not in named and path != ROOT / "README.md"]
    assert alone == []


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES_MAX


def links(document: Path) -> list[tuple[str, str]]:
    """The targets of all links that stay in the repository."""
    lines = document.read_text().splitlines()
    name = document.relative_to(ROOT)
    return [
        (f"{name}:{number}", target)
        for number, line in enumerate(lines, 1)
        for target in re.findall(r"\]\(([^)\s]+)\)", line)
        if "://" not in target
    ]


def leads(document: Path, target: str) -> bool:
    path, _, part = target.partition("#")
    place = document.parent / path if path else document
    return place.exists() and (not part or part in headings(place))


def headings(document: Path) -> set[str]:
    """As hosts make anchors of them."""
    lines = (
        line.lstrip("#").strip() for line in document.read_text().splitlines() if line[:1] == "#"
    )
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def paths_in(text: str) -> list[str]:
    """`a/{b,c}.py` names two. Settings and data without a folder are the reader's own."""
    ours = r"[\w.{},-][\w./{},-]*\.(md|py|js|sh|toml)|[\w.-][\w./-]*/[\w.-]+\.(yaml|json|png)"
    if not re.fullmatch(ours, text) or text.startswith(THEIR_FILES):
        return []
    choice = re.search(r"\{([^}]*)\}", text)
    if choice is None:
        return [text]
    return [text.replace(choice[0], one) for one in choice[1].split(",")]


def found(document: Path, path: str) -> list[Path]:
    """Seen from the document or a folder above it or from the code; a bare name anywhere."""
    if not path:
        return []
    bases = [*document.parents[: len(document.relative_to(ROOT).parts)], SOURCE]
    near = [(base / path).resolve() for base in bases if (base / path).is_file()]
    return near or ([] if "/" in path else [ROOT / one for one in names().get(path, ())])


@cache
def names() -> dict[str, list[str]]:
    listed: dict[str, list[str]] = {}
    for folder in ("swarm", "tests", "benchmarks", "cluster", "configs"):
        for path in (ROOT / folder).rglob("*.*"):
            listed.setdefault(path.name, []).append(str(path.relative_to(ROOT)))
    return listed


# --- commands ------------------------------------------------------------------------------------


@EACH
def test_commands_and_their_options_exist(document):
    assert [(at, wrong) for at, words in commands(document) if (wrong := unknown_in(words))] == []


@EACH
def test_options_that_stand_alone_exist(document):
    alone = [(at, text.split()[0]) for at, text in spans(document) if text.startswith("--")]
    assert [(at, name) for at, name in alone if name not in options() | THEIR_OPTIONS] == []


@EACH
def test_benchmarks_that_are_named_exist_with_their_options(document):
    text = document.read_text()
    calls = re.findall(r"\bbenchmarks\.(\w+)((?: +\[?--\w[\w-]*(?: [A-Z.]+)?\]?)*)", text)
    assert [name for name, _ in calls if name.islower() and not benchmark(name).exists()] == []
    wrong = [
        (name, option)
        for name, rest in calls
        if name.islower()
        for option in re.findall(r"--[\w-]+", rest)
        if not takes_option(name, option)
    ]
    assert wrong == []


def test_the_readme_of_the_command_line_has_every_command():
    told = {" ".join(words[1:]) for _, words in commands(SOURCE / "cli" / "README.md")}
    assert sorted(set(leaves(root())) - told) == []


def benchmark(name: str) -> Path:
    return ROOT / "benchmarks" / f"{name}.py"


def takes_option(name: str, option: str) -> bool:
    """By itself, or as all of them do; some are made of a list of names."""
    told = benchmark(name).read_text() + benchmark("report").read_text()
    return f'"{option}"' in told or f'"{option[2:]}"' in told


def commands(document: Path) -> Iterator[tuple[str, list[str]]]:
    """The words of each `swarm ...` that the document has, in spans and in blocks of a shell."""
    for at, text in spans(document):
        is_meant = document != FAILURES and text not in SAYINGS
        if is_command(text) or (text.startswith("swarm ") and is_meant):
            yield at, shlex.split(text.replace("[", "").replace("]", "").replace("…", "X"))
    for block in blocks(document):
        if block.language in SHELLS:
            for line in block.text.replace("\\\n", " ").splitlines():
                yield from ((block.at, words) for words in commands_in(line))


def is_command(text: str) -> bool:
    """Else it may be something that swarm says of itself."""
    program, _, rest = text.partition(" ")
    return program == "swarm" and rest.partition(" ")[0] in root().commands


def commands_in(line: str) -> Iterator[list[str]]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quote over several lines
        return
    ends = [at for at, word in enumerate(words) if word in ("&&", "|", ">", ";")]
    for begin, end in zip([0, *(at + 1 for at in ends)], [*ends, len(words)], strict=True):
        part = words[begin:end]
        if "swarm" in part and (len(part) > part.index("swarm") + 1):
            yield part[part.index("swarm") :]
        for word in part:
            if word.startswith("swarm "):
                yield from commands_in(word)


def unknown_in(words: list[str]) -> str:
    """What of a command line there is not; empty: it is all there."""
    command = root()
    for word in words[1:]:
        if word == "--":
            break
        if word.startswith("-"):
            known = {name for parameter in command.params for name in parameter.opts}
            if word.partition("=")[0] not in known | {"--help", "-h"}:
                return f"{' '.join(words)}: {word}"
        elif word in getattr(command, "commands", {}):
            command = command.commands[word]
        elif command is root() or (hasattr(command, "commands") and not takes(words, word)):
            return f"{' '.join(words)}: {word}"
    return ""


def takes(words: list[str], word: str) -> bool:
    """Whether `word` is the value of the option before it."""
    return words[words.index(word) - 1].startswith("-")


@cache
def root() -> Any:
    return typer.main.get_command(app)


def leaves(command: Any, above: str = "") -> Iterator[str]:
    for name, below in command.commands.items():
        path = f"{above}{name}"
        if hasattr(below, "commands"):
            yield from leaves(below, f"{path} ")
        if not hasattr(below, "commands") or below.invoke_without_command:
            yield path


@cache
def options() -> frozenset[str]:
    """Of all commands, of the programs beside them and of the benchmarks."""
    found: set[str] = set()
    waiting = [root()]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        found |= {name for parameter in command.params for name in parameter.opts}
    for path in [*SOURCE.rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]:
        found |= set(re.findall(r'add_argument\(\s*"(--[\w-]+)"', path.read_text()))
    return frozenset(found)


# --- settings ------------------------------------------------------------------------------------


@EACH
def test_settings_that_are_named_exist(document):
    dotted = [(at, text) for at, text in spans(document) if is_setting_like(text)]
    assert [(at, text) for at, text in dotted if not resolves(Settings, text.split("."))] == []


@EACH
def test_keys_with_a_value_exist_and_take_it(document):
    said = [(at, hit) for at, text in spans(document) if (hit := key_and_value(text))]
    assert [(at, hit) for at, hit in said if not may_be(*hit)] == []


@EACH
def test_variables_exist(document):
    text = document.read_text()
    named = set(re.findall(r"\bSWARM_[A-Z0-9_]+", text))
    assert [name for name in named if not (is_setting_variable(name) or in_source(name))] == []


@EACH
def test_blocks_can_be_read_by_what_they_are_for(document, tmp_path):
    for block in blocks(document):
        read(block, tmp_path)


def read(block: Block, folder: Path) -> None:
    match block.language:
        case "json":
            for line in block.text.splitlines():
                json.loads(line)
        case "python":
            compile(block.text, block.at, "exec")
        case "yaml":
            tree = yaml.safe_load(block.text)
            if not set(tree) & THEIR_KEYS and "run_launcher" not in tree:
                file = folder / "settings.yaml"
                file.write_text(block.text)
                assert config.load(file, environ={}), block.at
        case _:
            assert block.language in SHELLS, f"{block.at}: what is that?"


def is_setting_like(text: str) -> bool:
    first, _, rest = text.partition(".")
    if (
        not rest
        or not re.fullmatch(r"[a-z_]+(\[\])?(\.([a-z_]+(\[\])?|[A-Z]+|\*))+", text)
        or paths_in(text)
    ):
        return False
    return first.removesuffix("[]") in Settings.model_fields and not text.endswith(
        (".json", ".yaml")
    )


def resolves(kind: Any, names: list[str]) -> bool:
    """Whether the names lead through sections, their lists and tables."""
    if not names or names == ["*"]:
        return True
    section, is_table = section_of(kind)
    if section is None:
        return False
    if is_table:
        return resolves(section, names[1:])
    field = section.model_fields.get(names[0].removesuffix("[]"))
    return field is not None and (len(names) == 1 or resolves(field.annotation, names[1:]))


def section_of(kind: Any) -> tuple[type[BaseModel] | None, bool]:
    """The section that a field holds, and whether by names of the user's."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, False
    if get_origin(kind) is dict:
        return section_of(get_args(kind)[1])[0], True
    inner = [section_of(one)[0] for one in get_args(kind)]
    return next((one for one in inner if one is not None), None), False


def key_and_value(text: str) -> tuple[str, str] | None:
    hit = re.fullmatch(r"([a-z_]+): ([\w-]+)", text)
    return None if hit is None or hit[1] == "alive" else (hit[1], hit[2])


def may_be(key: str, value: str) -> bool:
    kinds = [
        field.annotation
        for section in sections(Settings) | task_models()
        for name, field in section.model_fields.items()
        if name == key
    ]
    return any(takes_value(kind, value) for kind in kinds)


def takes_value(kind: Any, value: str) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) in (Annotated, types.UnionType):
        return any(takes_value(one, value) for one in get_args(kind))
    if kind is bool:
        return value in ("true", "false")
    return True


def sections(kind: Any) -> set[type[BaseModel]]:
    """All sections of the tree."""
    section, _ = section_of(kind)
    if section is None:
        return set()
    below = [sections(field.annotation) for field in section.model_fields.values()]
    return {section}.union(*below)


def task_models() -> set[type[BaseModel]]:
    found = vars(task_schemas).values()
    return {one for one in found if isinstance(one, type) and issubclass(one, BaseModel)}


def is_setting_variable(name: str) -> bool:
    return resolves(Settings, name.removeprefix("SWARM_").lower().split("__"))


# --- routes and metrics --------------------------------------------------------------------------


@EACH
def test_routes_that_are_named_exist(document):
    assert [(at, route) for at, route in routes_in(document) if route not in routes()] == []


def test_the_readme_of_the_api_has_every_route():
    assert {route for _, route in routes_in(SOURCE / "api" / "README.md")} == routes()


@EACH
def test_metrics_and_alarms_exist(document):
    named = set(re.findall(r"\bswarm_[a-z_]*[a-z]\b", document.read_text()))
    strange = {name for name in named if name not in METRICS and not in_source(name)}
    measured = {n for n in named if n.endswith(("_total", "_seconds", "_ratio", "_probability"))}
    assert strange | (measured - set(METRICS)) == set()
    rules = (ROOT / "cluster" / "grafana" / "rules.yaml").read_text()
    alarms = [text for _, text in spans(document) if re.fullmatch(r"Swarm[A-Z]\w+", text)]
    assert [one for one in alarms if f"alert: {one}" not in rules and not in_source(one)] == []


def routes_in(document: Path) -> Iterator[tuple[str, str]]:
    for at, text in spans(document):
        hit = re.fullmatch(r"(GET|POST|PUT|DELETE) (/\S*)", text)
        if hit is not None:
            yield at, f"{hit[1]} {plain(hit[2])}"
        elif text.startswith("/api/v1/"):
            path = plain(text)
            yield at, next((one for one in routes() if one.endswith(f" {path}")), f"? {path}")


def plain(path: str) -> str:
    """Without the root and the question, each parameter as `{}`."""
    bare = path.removeprefix("/api/v1").partition("?")[0]
    return re.sub(r"\{[^}]*\}|(?<=/)[A-Z]+(?=/|$)", "{}", bare)


@cache
def routes() -> frozenset[str]:
    return frozenset(f"{(way := route.split(' '))[0]} {plain(way[1])}" for route in ROUTES)


# --- messages ------------------------------------------------------------------------------------


def test_what_failures_quotes_is_what_swarm_says():
    """Each span that is no command, setting, route, metric or file is in the code, word for word;
    `…` stands for what the code fills in."""
    wrong = [(at, text) for at, text in spans(FAILURES) if not (is_name(text) or is_said(text))]
    assert wrong == []


def test_what_failures_calls_a_log_line_is_the_event_of_one():
    text = FAILURES.read_text()
    called = re.findall(r"[Ll]og[^|`]*: `([^`]+)`", text)
    assert len(called) > 10
    assert [line for line in called if squeezed(line.replace("…", "%s")) not in events()] == []


def is_name(text: str) -> bool:
    return (
        is_command(text)
        or text.startswith(("--", "GET ", "POST ", "/"))
        or bool(paths_in(text))
        or text in METRICS
        or is_setting_like(text)
        or key_and_value(text) is not None
        or any(text in section.model_fields for section in sections(Settings) | task_models())
    )


def is_said(quote: str) -> bool:
    pieces = [squeezed(piece) for piece in quote.split("…")]
    wanted = re.compile(".*?".join(re.escape(piece) for piece in pieces if piece), re.DOTALL)
    if quote == "…":
        return True
    return any(map(str.isalpha, quote)) and any(wanted.search(told) for told in templates())


def squeezed(text: str) -> str:
    return " ".join(text.split())


@cache
def templates() -> tuple[str, ...]:
    """All texts of the code; a hole is `\\0`."""
    told = [text for path in SOURCE.rglob("*.py") for text in texts(ast.parse(path.read_text()))]
    told += [re.sub(r"(%[\w.]*[sdrf]|\{\w*\})", "\0", text) for text in list(told)]
    for path in (SOURCE / "dashboard").glob("*.js"):
        told += path.read_text().splitlines()
    rules = (ROOT / "cluster" / "grafana" / "rules.yaml").read_text()
    return tuple(squeezed(text) for text in [*told, *rules.splitlines()])


def texts(tree: ast.AST) -> Iterator[str]:
    """Strings and f-strings, docstrings left out."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            yield node.value


@cache
def events() -> frozenset[str]:
    """The first argument of each call that logs; what it fills in is `%s`."""
    return frozenset(
        squeezed(re.sub(r"%[\w.]*[sdrf]", "%s", node.args[0].value))
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("info", "warning", "error", "exception")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


@cache
def whole_source() -> str:
    files: Iterable[Path] = [*SOURCE.rglob("*.py"), *(SOURCE / "dashboard").glob("*.js")]
    return "\n".join(path.read_text() for path in files)


def in_source(name: str) -> bool:
    return name in whole_source()
