"""Programs that start another one: on another machine, in a container, as another user, per line.

What they start is followed as if it ran here. Where it is not in the words (an image's own
program, lines of a pipe) that is said.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence

from swarm.lineage.code.shell_command import Command, Streams, options
from swarm.lineage.code.texts import hole

_MAX_ITEMS = 50  # of `parallel ... ::: a b c`

Start = Callable[[list[str], Streams | None], Command | None]
Wrapper = Callable[[list[str], Streams | None], "Command | list[list[str]] | None"]


def wrapped(words: list[str], given: Streams | None) -> "Command | list[list[str]] | None":
    """The commands that the first word starts, or what is not known of them; `None` where it
    starts none."""
    wrapper = _WRAPPERS.get(words[0].rpartition("/")[2])
    return wrapper(words[1:], given) if wrapper is not None else None


def is_wrapper(name: str) -> bool:
    return name in _WRAPPERS


def takes_lines(name: str) -> bool:
    """Whether what is piped in becomes words of the command, and not its input."""
    return name.rpartition("/")[2] in {"xargs", "parallel"}


def _behind(words: Sequence[str], with_value: str) -> list[str]:
    """The words from the first on that is no option and no option's value."""
    takes = set(with_value.split())
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in takes else 1
    return list(words[at + (words[at : at + 1] == ["--"]) :])


def _text(words: Sequence[str], given: Streams | None) -> Command | None:
    """A shell text of words, else the one that comes in."""
    if words:
        return Command(text=" ".join(words))
    if given is not None and given.texts:
        return Command(text=given.texts[0])
    if given is not None and (given.files or given.is_piped):
        script = given.files[0] if given.files else ""
        return Command(script=script) if script else Command(missing=_PIPED)
    return None


_PIPED = "the program that is piped into a shell is not known"


def _ssh(words: list[str], given: Streams | None) -> Command | None:
    return _text(_behind(words, _SSH_OPTIONS)[1:], given)


_SSH_OPTIONS = "-i -p -l -o -F -b -c -D -E -e -I -J -L -m -O -Q -R -S -W -w"


def _user(words: list[str], given: Streams | None) -> "Command | list[list[str]] | None":
    """`su - user -c text`, `runuser -u user -- command`."""
    found, _ = options(words, "-c --command -s --shell -g -G -u --user -w")
    text = (*found.get("-c", ()), *found.get("--command", ()))
    if text:
        return Command(text=text[0])
    if "--" in words:
        return [words[words.index("--") + 1 :]]
    return _text((), given)


def _sudo(words: list[str], given: Streams | None) -> list[list[str]]:
    return [_behind(words, "-u -g -h -p -C -r -t -U -D --user --group")]


def _kubectl(words: list[str], given: Streams | None) -> "Command | list[list[str]] | None":
    verb = next(iter(_behind(words, _KUBE_OPTIONS)), "")
    if verb == "exec" and "--" in words:
        return [words[words.index("--") + 1 :]]
    if verb == "exec":
        rest = _behind(words[words.index("exec") + 1 :], _KUBE_OPTIONS)
        return [_behind(rest[1:], _KUBE_OPTIONS)]
    if verb in {"run", "create", "apply", "replace", "debug"}:
        return Command(missing=f"what `kubectl {verb}` starts is not known")
    return None


_KUBE_OPTIONS = "-n --namespace -c --container --context --kubeconfig -f --filename -l -o --image"


def _docker(words: list[str], given: Streams | None) -> "Command | list[list[str]] | None":
    rest = _behind(words, "--context -H --host --config")
    if rest[:1] == ["compose"] or rest[:1] == ["container"]:
        rest = _behind(rest[1:], "-f --file -p --project-name --env-file --profile")
    return _compose(rest, given)


def _compose(words: list[str], given: Streams | None) -> "Command | list[list[str]] | None":
    """`run image command`, `exec container command`, `up`."""
    rest = _behind(words, "-f --file -p --project-name --env-file --profile")
    verb = rest[0] if rest else ""
    if verb not in {"run", "exec"}:
        starts = verb in {"up", "start", "create"}
        return Command(missing=f"what `docker {verb}` starts is not known") if starts else None
    inside = _behind(rest[1:], _RUN_OPTIONS)
    found, _ = options(rest[1:], _RUN_OPTIONS)
    command = [*found.get("--entrypoint", ()), *inside[1:]]
    if command:
        return [command]
    return Command(missing=f"what the image `{inside[0] if inside else ''}` runs is not known")


_RUN_OPTIONS = (
    "-v --volume -e --env --env-file -w --workdir --name --network --net --entrypoint -u --user -p "
    "--publish --mount -m --memory --cpus --platform --label -l --add-host -h --hostname --log-opt "
    "--shm-size --ulimit --gpus --pull --ip --dns --link --restart --log-driver --cpuset-cpus"
)


def _environment(words: list[str], given: Streams | None) -> list[list[str]] | None:
    """`uv run python x.py`, `poetry run x`, `conda run -n env x`; other verbs install."""
    rest = _behind(words, "--directory --project -C -n -p --name --prefix -e --environment")
    if rest[:1] != ["run"]:
        return None
    inside = _behind(rest[1:], _OF_ENVIRONMENTS)
    if inside and inside[0].endswith(".py"):
        inside = ["python", *inside]
    return [inside]


_OF_ENVIRONMENTS = (
    "--with --python -p --extra --group --env-file --directory --project -n --name --prefix "
    "--with-requirements --package -e --environment --index-url --cwd"
)


def _xargs(words: list[str], given: Streams | None) -> list[list[str]]:
    """The words of the lines come last, or where `-I` says; they are known only if echoed."""
    rest = _behind(words, "-n -P -L -d -a -s -E -I --max-args --max-procs --delimiter --replace")
    found, _ = options(words, "-n -P -L -d -a -s -E -I --max-args --max-procs --delimiter")
    mark = found.get("-I", ["{}" if "-i" in words else ""])[0]
    known = [word for text in (given.texts if given is not None else ()) for word in text.split()]
    return _each(rest, mark, known or [hole("line")])


def _each(command: Sequence[str], mark: str, items: Sequence[str]) -> list[list[str]]:
    if not command:
        return []
    some = list(items[:_MAX_ITEMS])
    if len(items) > _MAX_ITEMS:
        some.append(hole("item"))  # so that what the others do is said not to be known
    if not mark or not any(mark in word for word in command):
        return [[*command, item] for item in some]
    return [[word.replace(mark, item) for word in command] for item in some]


def _parallel(words: list[str], given: Streams | None) -> list[list[str]]:
    rest = _behind(words, "-j --jobs -a --colsep --joblog --delay --retries -N --timeout")
    at = rest.index(":::") if ":::" in rest else len(rest)
    items = rest[at + 1 :] or [
        line for text in (given.texts if given is not None else ()) for line in text.splitlines()
    ]
    return _each(rest[:at], "{}", items or [hole("line")])


def _find(words: list[str], given: Streams | None) -> list[list[str]] | None:
    """`find ... -exec command {} \\;`; without it the names are only listed."""
    found: list[list[str]] = []
    for at, word in enumerate(words):
        if word in {"-exec", "-execdir", "-ok"}:
            ends = (i for i in range(at, len(words)) if words[i] in {";", "\\;", "+"})
            end = next(ends, len(words))
            found += _each(words[at + 1 : end], "{}", [hole("file")])
    return found or None


def _watch(words: list[str], given: Streams | None) -> Command | None:
    return _text([shlex.join(_behind(words, "-n --interval"))], None)


def _at(words: list[str], given: Streams | None) -> Command | None:
    found, _ = options(words, "-f -q -t")
    if "-f" in found:
        return Command(script=found["-f"][0])
    return _text((), given)


def _trap(words: list[str], given: Streams | None) -> Command | None:
    return Command(text=words[0]) if len(words) > 1 and not words[0].startswith("-") else None


def _flock(words: list[str], given: Streams | None) -> "Command | list[list[str]] | None":
    rest = _behind(words, "-w --timeout -E --conflict-exit-code")
    if rest[1:2] in (["-c"], ["--command"]):
        return Command(text=" ".join(rest[2:3]))
    return [rest[1:]] if len(rest) > 1 else None


def _swarm(words: list[str], given: Streams | None) -> list[list[str]] | None:
    """`swarm run PIPELINE -- command`."""
    is_run = words[:1] == ["run"] and "--" in words
    return [words[words.index("--") + 1 :]] if is_run else None


_WRAPPERS: Mapping[str, Wrapper] = {
    "ssh": _ssh,
    "su": _user,
    "runuser": _user,
    "sudo": _sudo,
    "doas": _sudo,
    "kubectl": _kubectl,
    "oc": _kubectl,
    "docker": _docker,
    "podman": _docker,
    "docker-compose": _compose,
    "swarm": _swarm,
    "xargs": _xargs,
    "parallel": _parallel,
    "find": _find,
    "watch": _watch,
    "at": _at,
    "batch": _at,
    "trap": _trap,
    "flock": _flock,
    **dict.fromkeys(
        ("uv", "poetry", "pipenv", "pdm", "rye", "hatch", "conda", "mamba", "micromamba", "pixi"),
        _environment,
    ),
}
