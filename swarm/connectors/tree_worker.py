"""`python -m swarm.connectors.tree_worker LIMIT_CPU_S LIMIT_BYTES`: reads texts for `trees.py`.

Requests and answers are pickles on stdin and stdout; nothing else may write there. A text that
takes more than its CPU time ends the process, because a parser in C cannot be interrupted: the
kernel's own timer does it.
"""

import gc
import os
import pickle
import resource
import signal
import sys
from multiprocessing.connection import Connection

from swarm.lineage.sql.tree import tree_extraction

_COLLECT_EVERY = 200_000  # characters; trees point to themselves and wait for the collector


def serve(requests: Connection, answers: Connection, cpu_s: float) -> None:
    """Answer until the asker is gone. `None` says that a text needs too much memory."""
    read = 0
    answers.send_bytes(b"")  # ready
    while True:
        try:
            text, where, parameters = pickle.loads(requests.recv_bytes())
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        try:
            answer = pickle.dumps(tree_extraction(text, where, parameters))
        except MemoryError:
            answer = pickle.dumps(None)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.send_bytes(answer)
        read += len(text)
        if read > _COLLECT_EVERY:
            gc.collect()
            read = 0


def main() -> None:
    cpu_s, limit_bytes = float(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the asker's; it will close the pipe
    resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests, answers = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    gc.collect()
    gc.freeze()
    gc.disable()
    with Connection(requests, writable=False) as ask, Connection(answers, readable=False) as tell:
        serve(ask, tell, cpu_s)


if __name__ == "__main__":
    main()
