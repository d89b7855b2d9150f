"""The program that `swarm run` runs: as if it had been started without it.

It has the same input, output, folder and environment. Signals are taken in one place, by waiting
for them: those sent to `swarm run` are passed on. What a terminal sends it sends to the program
too, so that is not passed on.
"""

import os
import signal
import sys

_TERMINAL = 0x80  # `si_code` of a signal that the kernel sends: SI_KERNEL
PASSED_ON = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_NOT_FOUND, _NOT_RUN = 127, 126


class Signals:
    """From its making on no signal interrupts this process: they wait until they are asked for.
    To be made before any thread is."""

    def __init__(self) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would lose the exit code
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED_ON, signal.SIGCHLD})

    def wait(self, for_s: float) -> signal.Signals | None:
        """One that asks this process to end, if it comes within `for_s`."""
        found = signal.sigtimedwait(_ENDING, for_s)
        return None if found is None else signal.Signals(found.si_signo)

    def run(self, argv: list[str]) -> int:
        """Run a program to its end; its exit code, 128 and the signal where one ended it, 127 or
        126 where it could not be run."""
        try:
            pid = os.posix_spawnp(
                argv[0], argv, os.environ, setsigmask=self._before, setsigdef=_IGNORED_BY_PYTHON
            )
        except OSError as error:
            sys.stderr.write(f"swarm: {argv[0]}: {error.strerror}\n")
            return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUN
        while True:
            found = signal.sigwaitinfo({*PASSED_ON, signal.SIGCHLD})
            if found.si_signo != signal.SIGCHLD:
                if found.si_code != _TERMINAL:
                    os.kill(pid, found.si_signo)
                continue
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended == pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
