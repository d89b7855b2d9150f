"""Hosts of one machine that one logs into: each has a network, processes and a home of its own.

For root, with sshd installed; for tests, too. Everything is gone afterwards.
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hosts import Host, network

HOME = "/mnt"  # of everybody on each host; on the machine itself it stays what it is
_READY_S = 30.0
_BECOME = """
set -e
mount --make-rprivate /
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/home {home}
mkdir -p /tmp/ray /run/sshd
mount --bind {folder}/ray /tmp/ray
mount -t tmpfs -o size=2g tmpfs /dev/shm
mount -t tmpfs -o mode=0755 tmpfs /run/sshd
exec /usr/sbin/sshd -D -e -f /dev/null -h {folder}/hostkey -o UsePAM=no -o StrictModes=no \
  -o PermitRootLogin=yes -o PidFile=none -o MaxSessions=100 -o AuthorizedKeysFile={keys}
"""


@dataclass(frozen=True, slots=True)
class LoginHosts:
    """`head` is the first of `all`; `key` opens each of them for root."""

    all: Sequence[Host]
    key: Path

    @property
    def head(self) -> Host:
        return self.all[0]

    def run(self, host: Host, command: str) -> subprocess.CompletedProcess[str]:
        """As somebody who logs in to `host` would, from the head."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        words = ["ssh", "-i", str(self.key), *(f"-o{one}" for one in options)]
        with self.head.inside():
            return subprocess.run(
                [*words, f"root@{host.address}", f"bash -ic {_quoted(command)}"],
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
                timeout=300,
            )


@contextlib.contextmanager
def login_hosts(others: int, folder: Path, shell: str) -> Iterator[LoginHosts]:
    """A head and others, whose files are in `folder`; `shell` is what each `.bashrc` says."""
    key = folder / "key"
    _keygen(key)
    with contextlib.ExitStack() as ended, network(others) as made:
        hosts = LoginHosts((made.head, *made.others), key)
        for number, host in enumerate(hosts.all):
            doors = _start(host, folder / f"host{number}", Path(f"{key}.pub"), shell)
            ended.callback(doors.wait)  # once the network is gone, and with it all that runs there
        deadline_s = time.monotonic() + _READY_S
        for host in hosts.all:
            while hosts.run(host, "true").returncode:
                if time.monotonic() > deadline_s:
                    raise RuntimeError(f"nobody can log in to {host.address}")
                time.sleep(0.2)
        yield hosts


def _start(host: Host, folder: Path, keys: Path, shell: str) -> subprocess.Popen[bytes]:
    for name in ("home", "ray"):
        (folder / name).mkdir(parents=True)
    _keygen(folder / "hostkey")
    (folder / "passwd").write_text(
        f"root:x:0:0:root:{HOME}:/bin/bash\nsshd:x:100:65534::/run/sshd:/bin/false\n"
    )
    (folder / "home" / ".bashrc").write_text(shell)
    # Ray asks which address leads outside; no packet goes there.
    route = ["ip", "-n", host.name, "route", "add", "default", "dev", host.device]
    subprocess.run(route, check=True)
    script = _BECOME.format(folder=folder, home=HOME, keys=keys)
    own = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child", "sh", "-c"]
    with host.inside(), (folder / "sshd.log").open("wb") as log:
        return subprocess.Popen(
            [*own, script], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
        )


def _keygen(file: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"
