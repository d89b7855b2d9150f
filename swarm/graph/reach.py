"""How many nodes are reachable, for many nodes at once.

Strongly connected nodes share one answer; over what is left, the sets of reached nodes are handed
up in reverse topological order as bit masks, a block of columns at a time so that memory is small.
"""

from collections.abc import Iterable

import networkx as nx

from swarm.graph.adjacency import Row, View, levels

# Columns per pass: at 100,000 nodes a pass holds about 50 MB.
BLOCK = 4096


def condensed(rows: list[Row]) -> tuple[list[list[int]], list[int]]:
    """Strongly connected components, downstream first, and each node's component."""
    digraph: nx.DiGraph[int] = nx.DiGraph()
    digraph.add_nodes_from(range(len(rows)))
    digraph.add_edges_from((up, down) for up, row in enumerate(rows) for down in row)
    # networkx yields a component only after all that it leads to (Nuutila's order).
    components = [sorted(part) for part in nx.strongly_connected_components(digraph)]
    home = [0] * len(rows)
    for number, part in enumerate(components):
        for node in part:
            home[node] = number
    return components, home


def behind(starts: Iterable[int], view: View) -> tuple[list[int], list[Row], list[list[int]]]:
    """The nodes that `starts` stand on, themselves included; for each, in that order, the numbers
    in it of those that stand on it; and their components, downstream first."""
    found = sorted(set().union(*levels(starts, view.into)))
    number = {node: at for at, node in enumerate(found)}
    rows = [tuple(number[down] for down in view.out[node] if down in number) for node in found]
    return found, rows, condensed(rows)[0]


def reach_counts(rows: list[Row], pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """For each edge `(up, down)`: how many nodes are `down` or behind it, `up` not counted."""
    components, home = condensed(rows)
    below = [
        sorted({home[down] for node in part for down in rows[node]} - {number})
        for number, part in enumerate(components)
    ]
    wanted = {pair: home[pair[1]] for pair in pairs}
    totals = dict.fromkeys(wanted, 0)
    for first in range(0, len(rows), BLOCK):
        masks: list[int] = []
        for number, part in enumerate(components):
            mask = 0
            for node in part:
                if first <= node < first + BLOCK:
                    mask |= 1 << (node - first)
            for lower in below[number]:
                mask |= masks[lower]
            masks.append(mask)
        for (up, down), number in wanted.items():
            mask = masks[number]
            inside = first <= up < first + BLOCK and mask >> (up - first) & 1
            totals[up, down] += mask.bit_count() - inside
    return totals
