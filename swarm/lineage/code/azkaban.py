"""Jobs of Azkaban: `.job` files with the properties around them, and the nodes of `.flow` files.

A job sees the properties of its own file, then those of its folder, then those of the folders
above. Of Azkaban's own values only the date of the run is known: one fixed date.
"""

import posixpath
from collections.abc import Iterator, Mapping

from swarm.lineage.code.jobs import Job, chosen
from swarm.lineage.code.texts import hole
from swarm.lineage.configs.formats import Tree, read_config, read_properties
from swarm.lineage.configs.parameters import as_text, flat
from swarm.lineage.configs.references import resolve

_START = "azkaban.flow.start."
_DATES = {
    **{f"{_START}year": "2000", f"{_START}month": "01", f"{_START}day": "01"},
    **{f"{_START}hour": "00", f"{_START}minute": "00", f"{_START}second": "00"},
}
_JAVA = frozenset({"javaprocess", "java", "hadoopJava"})
_NOTHING = frozenset({"noop", "flow", ""})


def azkaban_jobs(files: Mapping[str, str], task: str, values: Mapping[str, str]) -> tuple[Job, ...]:
    """What the files of Azkaban among `files` start for `task`; `values` win over them."""
    found = [*_job_files(files, values), *_flow_files(files, values)]
    return chosen(found, task)


def _job_files(files: Mapping[str, str], values: Mapping[str, str]) -> Iterator[Job]:
    for path, text in files.items():
        if not path.endswith(".job"):
            continue
        own = {key: as_text(value) for key, value in flat(read_properties(text)).items()}
        known = {**_inherited(files, path), **own, **values}
        name = posixpath.basename(path).removesuffix(".job")
        yield from _jobs(name, f"{path}:1", known, own, posixpath.dirname(path))


def _inherited(files: Mapping[str, str], path: str) -> dict[str, str]:
    """The properties of the folders above a job, those nearer last."""
    folders = [""]
    for part in posixpath.dirname(path).split("/"):
        folders.append(posixpath.join(folders[-1], part))
    found: dict[str, str] = {}
    for folder in dict.fromkeys(folders):
        for each in sorted(files):
            if each.endswith(".properties") and posixpath.dirname(each) == folder:
                found.update(flat(read_properties(files[each])))
    return found


def _flow_files(files: Mapping[str, str], values: Mapping[str, str]) -> Iterator[Job]:
    for path, text in files.items():
        tree = read_config(path, text) if path.endswith(".flow") else None
        if isinstance(tree, dict):
            outer = flat(tree.get("config"))
            yield from _nodes(path, text, tree, {**_inherited(files, path), **outer}, values)


def _nodes(
    path: str,
    text: str,
    tree: dict[str, Tree],
    around: Mapping[str, str],
    values: Mapping[str, str],
) -> Iterator[Job]:
    nodes = tree.get("nodes")
    for node in nodes if isinstance(nodes, list) else []:
        if not isinstance(node, dict):
            continue
        own = flat(node.get("config")) | {"type": str(node.get("type", ""))}
        known = {**around, **own, **values}
        if "nodes" in node:
            yield from _nodes(path, text, node, {**around, **own}, values)
        name = str(node.get("name", ""))
        line = text[: max(text.find(f"name: {name}"), 0)].count("\n") + 1
        yield from _jobs(name, f"{path}:{line}", known, own, posixpath.dirname(path))


def _jobs(
    name: str, place: str, known: Mapping[str, str], own: Mapping[str, str], folder: str
) -> Iterator[Job]:
    values = {**_DATES, **known}

    def filled(text: str) -> str:
        found = resolve(text, values.get)
        parts = found.split("${")
        rest = [part.partition("}") for part in parts[1:]]
        return parts[0] + "".join(hole(unknown) + after for unknown, _, after in rest)

    kind = known.get("type", "")
    folder = posixpath.join(folder, filled(known.get("working.dir", "")))
    variables = {
        k.removeprefix("env."): filled(v) for k, v in known.items() if k.startswith("env.")
    }
    if kind == "command" or (kind == "gobblin" and "command" in own):
        keys = ["command", *(f"command.{n}" for n in range(1, 50))]
        text = "\n".join(filled(own[key]) for key in keys if key in own)
        yield Job(name, place, command=text, variables=variables, folder=folder)
    elif kind == "hive":
        given = [
            f"{k.partition('.')[2]}={filled(v)}" for k, v in known.items() if k[:8] == "hivevar."
        ]
        words = ["hive", *(word for one in given for word in ("--hivevar", one))]
        words += ["-f", filled(own["hive.script"])] if "hive.script" in own else []
        words += ["-e", filled(own["hive.query"])] if "hive.query" in own else []
        yield Job(name, place, tuple(words), variables=variables, folder=folder)
    elif kind == "spark" and "execution-jar" in own:
        arguments = filled(own.get("params", "")).split()
        settings = [f"{k[5:]}={filled(v)}" for k, v in known.items() if k.startswith("conf.")]
        words = ["spark-submit", *(word for one in settings for word in ("--conf", one))]
        words += [filled(own["execution-jar"]), *arguments]
        yield Job(name, place, tuple(words), folder=folder)
    elif kind in _JAVA:
        main = filled(own.get("java.class", own.get("job.class", "")))
        words = ["java", main, *filled(own.get("main.args", "")).split()]
        yield Job(name, place, tuple(words), variables=variables, folder=folder)
    elif kind not in _NOTHING:
        yield Job(name, place, missing=f"what a job of the type `{kind}` does is not known")
