"""What Grafana shows and Prometheus alerts on is what swarm measures."""

import importlib.util
import json
import re
from pathlib import Path

import promql_parser
import yaml
from promql_parser import AggregateExpr, BinaryExpr, Call, MatrixSelector, VectorSelector

from swarm.telemetry import METRICS, Kind

FOLDER = Path(__file__).parents[3] / "cluster" / "grafana"
NAME = re.compile(r"\bswarm_\w+")
BLOCK = re.compile(r"(?<=<!-- metrics -->\n).*(?=<!-- /metrics -->)", re.DOTALL)


def made():
    spec = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.written()


def expressions():
    board = json.loads((FOLDER / "dashboard.json").read_text())
    rules = yaml.safe_load((FOLDER / "rules.yaml").read_text())
    shown = [line["expr"] for panel in board["panels"] for line in panel["targets"]]
    return shown, [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


def test_the_files_are_those_that_are_made():
    for name, text in made().items():
        assert (FOLDER / name).read_text() == text, "python cluster/grafana/make.py"


def parsed():
    shown, alerted = expressions()
    assert len(alerted) >= 10
    return {expression: promql_parser.parse(expression) for expression in shown + alerted}


def below(tree):
    """A node of PromQL and all that it is made of; of a span its selector, too."""
    found = []
    promql_parser.walk(tree, found.append)
    return found + [one.vector_selector for one in found if isinstance(one, MatrixSelector)]


def selected(tree):
    return [METRICS[one.name] for one in below(tree) if isinstance(one, VectorSelector)]


def test_each_is_promql_over_metrics_that_there_are():
    for expression, tree in parsed().items():
        assert selected(tree), expression
        assert {metric.name for metric in selected(tree)} == set(NAME.findall(expression))


def test_they_select_and_sum_by_labels_that_there_are():
    for expression, tree in parsed().items():
        for node in below(tree):
            if isinstance(node, VectorSelector):
                by, of = [one.name for one in node.matchers.matchers], [node]
            elif isinstance(node, AggregateExpr):
                by, of = node.modifier.labels if node.modifier else [], [node.expr]
            elif isinstance(node, BinaryExpr) and node.modifier and node.modifier.matching:
                by, of = node.modifier.matching.labels, [node.lhs, node.rhs]
            else:
                continue
            for metric in (metric for side in of for metric in selected(side)):
                assert set(by) <= set(metric.labels), expression


def test_what_only_rises_is_read_by_how_fast_and_nothing_else_is():
    for expression, tree in parsed().items():
        spans = [one for one in below(tree) if isinstance(one, MatrixSelector)]
        rising = {metric.name for metric in selected(tree) if metric.kind is Kind.COUNTER}
        assert {one.vector_selector.name for one in spans} == rising, expression
        calls = {one.func.name for one in below(tree) if isinstance(one, Call)}
        assert bool(calls & {"rate", "increase"}) == bool(rising), expression


def test_an_alarm_names_labels_that_are_left():
    """Whatever a sum leaves out is empty in the message."""
    rules = yaml.safe_load((FOLDER / "rules.yaml").read_text())
    named = 0
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        tree = promql_parser.parse(rule["expr"])
        sums = [one for one in below(tree) if isinstance(one, AggregateExpr)]
        left = {label for one in sums if one.modifier for label in one.modifier.labels}
        wanted = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        named += len(wanted)
        assert wanted <= left, rule["alert"]
    assert named >= 4


def test_every_metric_is_shown():
    shown, _ = expressions()
    assert {name for line in shown for name in NAME.findall(line)} == set(METRICS)


def test_the_names_are_as_the_relabelling_leaves_them():
    (job,) = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    (rule,) = job["metric_relabel_configs"]
    for name in METRICS:
        found = re.fullmatch(rule["regex"], f"ray_{name}")
        assert found is not None
        assert found[1] == name


def test_every_metric_is_in_the_readme_with_its_help():
    lines = ["| metric | labels | means |", "|---|---|---|"]
    for metric in METRICS.values():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {labels} | {metric.help} |")
    written = BLOCK.search((FOLDER / "README.md").read_text())
    assert written is not None
    assert written.group() == "\n".join(lines) + "\n", "paste the table of this test into README.md"
