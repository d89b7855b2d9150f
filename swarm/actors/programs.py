"""What a granted task runs, unpacked on the machine where it runs."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from swarm.actors.leftovers import marks
from swarm.actors.output_files import output_files
from swarm.actors.slot import Call, Program
from swarm.model.outputs import Output
from swarm.model.passes import pass_of
from swarm.model.work import Token
from swarm.secret import inherited

_FILES = "SWARM_FILES"
_PASS = "swarm-token"
_PASS_FILE = "SWARM_TOKEN_FILE"
_URL = "SWARM_URL"


class Programs:
    """A worker's folder of what its tasks need beside their arguments."""

    def __init__(self, folder: Path) -> None:
        self._outputs = output_files(folder)
        self._files = folder / "files"
        self._around = inherited(os.environ)

    def unpack(self, token: Token, body: str, copy: bool = False) -> Program | Call:
        """The program or call, its files in place; `copy`: it runs beside another under the same
        grant. Raises `OSError` where the disk refuses them,
        `ValueError` where `body` is none of ours."""
        what = json.loads(body)
        folder = self._folder(token)
        files = what.get("files", {})
        around = {} if what.get("clean_env") else self._around
        env = {**around, **what.get("env", {})}
        own = {**marks(token), _FILES: str(folder)}
        if made := what.get("pass"):
            files = {**files, _PASS: pass_of(made["seed"], token)}
            own[_PASS_FILE] = str(folder / _PASS)
            own[_URL] = what.get("env", {}).get(_URL) or made["url"]
        _write(folder, files)
        output = self._outputs.path(Output(token, copy))
        bounds = (
            what.get("cwd", ""),
            what.get("memory_bytes"),
            what.get("timeout_s"),
            folder if files else None,
        )
        if "argv" not in what:
            call = what.get("call") or {"path": "", "args": {"item": what.get("item")}}
            context = {
                "task": token.task,
                "grant": token.grant,
                "attempt": what.get("attempt", 1),
            }
            return Call(call["path"], call["args"], context, own, output, env, *bounds)
        argv = tuple(part.replace(f"{{{_FILES}}}", str(folder)) for part in what["argv"])
        return Program(argv, output, env | own, *bounds)

    def clear(self, token: Token) -> None:
        """Remove the files of a grant whose slot is gone and could not do it."""
        shutil.rmtree(self._folder(token), ignore_errors=True)

    def _folder(self, token: Token) -> Path:
        return self._files / f"{quote(token.task, safe='')}.{token.grant}"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Only their owner may read them: they may hold secrets."""
    if not files:
        return
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for name, text in files.items():
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
