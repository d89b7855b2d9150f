"""Workflows, coordinators and bundles of Oozie, as the commands that their actions are.

A value is looked up where Oozie does: what the caller hands on (a coordinator to its workflow, a
workflow to a sub-workflow), the properties of the job, the defaults of the workflow. Dates of the
run are one fixed date, and the id of a run is a fixed text of its pipeline and workflow: what one
action puts below it, another one finds there. What stays unknown is a hole.
"""

import posixpath
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from swarm.lineage.code.jobs import Job, chosen, line_of
from swarm.lineage.code.texts import hole, shown
from swarm.lineage.configs.formats import local_name, properties_below
from swarm.lineage.configs.references import resolved
from swarm.lineage.templates.expressions import fill_expressions

_ROOTS = frozenset({"workflow-app", "coordinator-app", "bundle-app"})
_MAX_DEPTH = 6  # workflows inside each other
_DATES = {"YEAR": "2000", "MONTH": "01", "DAY": "01", "HOUR": "00", "MINUTE": "00"}
_CONF = re.compile(r"\bwf:conf\(\s*(['\"])([^'\"]+)\1\s*\)")
_NOW = "2000-01-01T00:00Z"
_TIMES = {"coord:nominalTime()": _NOW, "coord:actualTime()": _NOW, "timestamp()": _NOW}
_QUIET = frozenset({"email", "git", "ssh-check"})

Element = ElementTree.Element


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of Oozie by path, and their texts."""

    roots: Mapping[str, Element]
    texts: Mapping[str, str]
    pipeline: str = ""
    jobs: list[Job] = field(default_factory=list)

    def find(self, path: str) -> str | None:
        """The file an app path means, by the longest end of it that fits one file."""
        wanted = [path, posixpath.join(path, "workflow.xml"), posixpath.join(path, "bundle.xml")]
        for each in wanted:
            parts = [part for part in each.split("/") if part]
            for start in range(len(parts)):
                end = "/".join(parts[start:])
                found = [p for p in self.texts if p == end or p.endswith(f"/{end}")]
                if len(found) == 1 and found[0].endswith(".xml"):
                    return found[0]
        return None


def oozie_jobs(
    files: Mapping[str, str], task: str, values: Mapping[str, str], pipeline: str = ""
) -> tuple[Job, ...]:
    """What the files of Oozie among `files` start for `task`, with the properties `values`."""
    roots = {path: root for path, text in files.items() if (root := _root(path, text)) is not None}
    apps = {path: root for path, root in roots.items() if local_name(root) in _ROOTS}
    broken = [path for path in files if path not in roots and _is_of_oozie(path, files[path])]
    unread = [Job("", f"{path}:1", missing="the workflow is no whole XML") for path in broken]
    if not apps:
        return tuple(unread)
    found = _Files(roots, {path: files[path] for path in roots}, pipeline)
    for path in _started(found, apps, values):
        _app(found, path, values, {}, 0)
    return (*chosen(found.jobs, task), *unread)


def _started(
    found: _Files, apps: Mapping[str, Element], values: Mapping[str, str]
) -> Iterator[str]:
    """What is submitted: what the properties say, else bundles, else coordinators, else the
    workflows that no other one calls."""
    for kind in ("bundle", "coord", "wf"):
        told = values.get(f"oozie.{kind}.application.path")
        path = _app_file(found, told, values) if told else None
        if path is not None and path in apps:
            yield path
            return
    for name in ("bundle-app", "coordinator-app"):
        of_kind = [path for path, root in apps.items() if local_name(root) == name]
        if of_kind:
            yield from of_kind
            return
    called = {
        _app_file(found, e.text or "", values) for root in apps.values() for e in _paths(root)
    }
    yield from (path for path in apps if path not in called)


def _is_of_oozie(path: str, text: str) -> bool:
    return path.lower().endswith(".xml") and "uri:oozie:" in text


def _root(path: str, text: str) -> Element | None:
    if not path.lower().endswith(".xml"):
        return None
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return None


def _paths(root: Element) -> Iterator[Element]:
    return (element for element in root.iter() if local_name(element) == "app-path")


def _app_file(found: _Files, text: str, values: Mapping[str, str]) -> str | None:
    return found.find(_filled(text, values))


def _filled(text: str | None, values: Mapping[str, str]) -> str:
    plain = _CONF.sub(lambda match: match.group(2), (text or "").strip())
    return fill_expressions(plain, {**_TIMES, **values}, lambda source: hole(source.strip("${} ")))


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if local_name(child) == name]


def _text(element: Element, name: str, values: Mapping[str, str]) -> str:
    return next((_filled(child.text, values) for child in _children(element, name)), "")


def _configuration(element: Element, values: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in _children(element, "configuration"):
        found.update({name: _filled(text, values) for name, text in properties_below(child)})
    return found


def _app(
    found: _Files, path: str, values: Mapping[str, str], given: Mapping[str, str], depth: int
) -> None:
    """Follows one file; `given` is what its caller hands on."""
    root = found.roots[path]
    defaults: dict[str, str] = {}
    for child in _children(root, "parameters"):
        defaults.update(properties_below(child))
    known = resolved({**defaults, **values, **given})
    if depth > _MAX_DEPTH:
        detail = f"applications call each other more than {_MAX_DEPTH} deep; {path} is not followed"
        found.jobs.append(Job("", f"{path}:1", missing=detail))
        return
    kind = local_name(root)
    if kind == "workflow-app":
        _workflow(found, path, root, {**known, **_own(found, path, root, known)}, depth)
    elif kind == "coordinator-app":
        _coordinator(found, path, root, known, depth)
    else:
        for child in _children(root, "coordinator"):
            handed = _configuration(child, known)
            _call(found, path, child, (known, handed), depth)


def _own(found: _Files, path: str, root: Element, values: Mapping[str, str]) -> dict[str, str]:
    """What a workflow knows of itself, by the functions that tell it."""
    identity = re.sub(r"\W+", "-", f"{found.pipeline}-{posixpath.dirname(path) or path}")
    name = _filled(root.get("name"), values)
    return {"wf:id()": identity, "wf:appPath()": path, "wf:name()": name}


def _call(
    found: _Files,
    path: str,
    element: Element,
    values: tuple[Mapping[str, str], Mapping[str, str]],
    depth: int,
) -> None:
    known, handed = values
    app = _text(element, "app-path", {**known, **handed})
    inner = found.find(app)
    if inner is None or inner == path:
        detail = f"the application `{shown(app)}` is not among the files given"
        found.jobs.append(Job("", f"{path}:1", missing=detail))
    else:
        _app(found, inner, known, handed, depth + 1)


# --- coordinators --------------------------------------------------------------------------------


def _coordinator(
    found: _Files, path: str, root: Element, values: Mapping[str, str], depth: int
) -> None:
    uris = dict(_datasets(found, root, values, 0))
    reads = _events(root, ("input-events", "data-in"), uris, values)
    writes = _events(root, ("output-events", "data-out"), uris, values)
    place = f"{path}:{line_of(found.texts[path], root.get('name', ''))}"
    if reads or writes:
        job = Job("", place, reads=tuple(reads.values()), writes=tuple(writes.values()))
        found.jobs.append(job)
    events = {f"coord:dataIn({name})": uri for name, uri in reads.items()}
    events |= {f"coord:dataOut({name})": uri for name, uri in writes.items()}
    known = {**values, **events}
    for action in _children(root, "action"):
        for workflow in _children(action, "workflow"):
            handed = _configuration(workflow, known)
            _call(found, path, workflow, (known, handed), depth)


def _datasets(
    found: _Files, root: Element, values: Mapping[str, str], depth: int
) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        if local_name(element) == "dataset":
            text = _text(element, "uri-template", {**values, **_DATES})
            yield _filled(element.get("name"), values), text
        elif local_name(element) == "include" and depth < _MAX_DEPTH:
            path = found.find(_filled(element.text, values))
            if path is not None:
                yield from _datasets(found, found.roots[path], values, depth + 1)


def _events(
    root: Element, kind: tuple[str, str], uris: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, str]:
    side, one = kind
    events: dict[str, str] = {}
    for holder in _children(root, side):
        for event in holder.iter():
            if local_name(event) == one:
                name = _filled(event.get("dataset"), values)
                uri = uris.get(name, hole(f"dataset {name}"))
                events[_filled(event.get("name"), values) or name] = uri
    return events


# --- workflows -----------------------------------------------------------------------------------


def _workflow(
    found: _Files, path: str, root: Element, values: Mapping[str, str], depth: int
) -> None:
    for action in _children(root, "action"):
        name = action.get("name", "")
        place = f"{path}:{line_of(found.texts[path], name)}"
        for what in action:
            kind = local_name(what)
            if kind == "sub-workflow":
                whole = dict(values) if _children(what, "propagate-configuration") else {}
                handed = _configuration(what, values)
                before = len(found.jobs)
                app = _text(what, "app-path", values)
                inner = found.find(app)
                if inner == path:
                    continue  # a loop: its next round does the same
                if inner is not None:
                    _app(found, inner, whole, handed, depth + 1)
                    found.jobs[before:] = [_under(job, name) for job in found.jobs[before:]]
                else:
                    detail = f"the application `{shown(app)}` is not among the files given"
                    found.jobs.append(Job(name, place, missing=detail))
            elif kind == "fs":
                found.jobs.extend(_moves(what, name, place, values))
            elif kind not in {"ok", "error"} | _QUIET:
                found.jobs.append(_action(kind, what, name, place, values))


def _under(job: Job, name: str) -> Job:
    """A job of a sub-workflow is part of the action that calls it."""
    return replace(job, name=name)


def _moves(what: Element, name: str, place: str, values: Mapping[str, str]) -> Iterator[Job]:
    """`<fs><move source="..." target="..."/></fs>`; what is deleted or made is no data."""
    for move in _children(what, "move"):
        source, target = (_filled(move.get(end), values) for end in ("source", "target"))
        yield Job(name, place, reads=(source,), writes=(target,))


def _action(kind: str, what: Element, name: str, place: str, values: Mapping[str, str]) -> Job:
    folder = posixpath.dirname(place)
    settings = _configuration(what, values)
    given = [child for child in what if local_name(child) in {"arg", "argument"}]
    arguments = [_filled(child.text, values) for child in given]
    variables: dict[str, str] = {}
    match kind:
        case "hive" | "hive2":
            words = _hive(what, values, settings, arguments)
        case "spark":
            words = _spark(what, values, settings, arguments)
        case "shell":
            words = [_text(what, "exec", values), *arguments]
            pairs = [_filled(c.text, values).partition("=") for c in _children(what, "env-var")]
            variables = {key: value for key, _, value in pairs}
        case "sqoop":
            command = _text(what, "command", values)
            words = ["sqoop", *(command.split() or arguments)]
        case "distcp":
            words = ["hadoop", "distcp", *arguments]
        case "java":
            words = ["java", _text(what, "main-class", values), *arguments]
        case _:
            return Job(
                name, place, missing=f"what an action of the kind `{kind}` does is not known"
            )
    return Job(name, place, tuple(words), variables=variables, folder=folder)


def _hive(
    what: Element, values: Mapping[str, str], settings: Mapping[str, str], arguments: list[str]
) -> list[str]:
    words = ["hive"]
    for key, value in settings.items():
        words += ["--hiveconf", f"{key}={value}"]
    for child in _children(what, "param"):
        words += ["--hivevar", _filled(child.text, values)]
    script, query = _text(what, "script", values), _text(what, "query", values)
    words += ["-f", script.partition("#")[0]] if script else []
    words += ["-e", query] if query else []
    return [*words, *arguments]


def _spark(
    what: Element, values: Mapping[str, str], settings: Mapping[str, str], arguments: list[str]
) -> list[str]:
    words = ["spark-submit"]
    for key, value in settings.items():
        words += ["--conf", f"{key}={value}"]
    words += _text(what, "spark-opts", values).split()
    main = _text(what, "class", values)
    words += ["--class", main] if main else []
    return [*words, _text(what, "jar", values), *arguments]
