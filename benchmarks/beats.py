"""What does it cost to hear 500 nodes that beat ten times a second?

The dispatcher's own receiver and engine, looked at as its loop does, hear beats that another
process sends for 500 workers over loopback: signed, checked, noted, echoed and judged.

- `core_share`: of one core, taken by the receiving process.
- `beats_per_s`, `lost_share`: how many came in, and which part of those sent did not.
- `gap_p999_s`: what the detector makes of the gaps; `false_alarms`: workers it took for gone.
"""

import asyncio
import multiprocessing
import socket
import time
from multiprocessing.synchronize import Event as Flag

from benchmarks.report import Figures, Options, run
from swarm.actors.beat_process import BEAT, BEAT_S, Packet, pack
from swarm.actors.beats import Beats
from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import Nod, Now, Register
from swarm.model.work import Offer, Resources, WorkerId

_KEY, _EPOCH = b"a key of the benchmark's own", 1
_NODES = 500
_TICK_S = 0.05  # as the dispatcher's loop


def _name(number: int) -> WorkerId:
    return WorkerId(f"worker:{number:08x}~{number:08x}")


def send(
    address: str, stopped: Flag, sent: "multiprocessing.sharedctypes.Synchronized[int]"
) -> None:
    """Beats of all nodes, spread evenly; runs in a process of its own."""
    host, _, port = address.rpartition(":")
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.connect((host, int(port)))
    number, next_s = 0, time.monotonic()
    while not stopped.is_set():
        for node in range(_NODES):
            if node % 10 == 0 and (left_s := next_s - time.monotonic()) > 0:
                time.sleep(left_s)
            if node % 10 == 0:
                next_s += BEAT_S * 10 / _NODES
            link.send(pack(_KEY, Packet(BEAT, 0, _EPOCH, number + 1, 0, _name(node))))
            sent.value += 1
        number += 1


async def hear(seconds: float) -> Figures:
    engine = Dispatcher(Policy())
    for number in range(_NODES):
        offer = Offer(_name(number), f"node{number}", 4, Resources(cpu=4.0))
        for record in engine.decide(Register(offer), Now(time.monotonic(), time.time())).records:
            engine.apply(record)
    heard = 0

    def count(worker: WorkerId, at_s: float, unheard_s: float) -> Nod:
        nonlocal heard
        heard += 1
        return engine.beat(worker, at_s, unheard_s)

    beats = Beats("127.0.0.1", _KEY, _EPOCH, count, lambda _: True)
    beats.listen()
    context = multiprocessing.get_context("spawn")
    stopped, sent = context.Event(), context.Value("q", 0)
    sender = context.Process(target=send, args=(beats.address, stopped, sent))
    sender.start()
    while not heard:  # noqa: ASYNC110  # another process starts
        await asyncio.sleep(_TICK_S)
    engine.begin(Now(time.monotonic(), time.time()))
    heard_before, sent_before = heard, sent.value
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    while (passed_s := time.monotonic() - began_s) < seconds:
        await asyncio.sleep(_TICK_S)
        beats.drain()
        engine.due(Now(time.monotonic(), time.time()))
    cpu_s = time.process_time() - began_cpu_s
    heard, sent_now = heard - heard_before, sent.value - sent_before
    stopped.set()
    sender.join()
    beats.close()
    detection = engine.detector.detection(time.monotonic())
    return {
        "core_share": cpu_s / passed_s,
        "beats_per_s": heard / passed_s,
        "lost_share": max(0.0, 1 - heard / sent_now),
        "gap_p999_s": detection.gap_tail_s,
        "false_alarms": detection.false_alarms,
    }


def measure(options: Options) -> Figures:
    return asyncio.run(hear(10.0 if options.quick else 60.0))


if __name__ == "__main__":
    run("beats", (__doc__ or "").splitlines()[0], measure)
