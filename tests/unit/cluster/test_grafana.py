"""What Grafana shows and Prometheus alerts on is what swarm measures."""

import importlib.util
import json
import re
from pathlib import Path

import yaml

from swarm.telemetry import METRICS

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


def test_they_name_only_metrics_that_there_are():
    shown, alerted = expressions()
    assert len(alerted) >= 10
    for expression in shown + alerted:
        names = NAME.findall(expression)
        assert names, expression
        assert set(names) <= set(METRICS), expression


def test_they_select_by_labels_that_there_are():
    shown, alerted = expressions()
    for expression in shown + alerted:
        labels = {label for name in NAME.findall(expression) for label in METRICS[name].labels}
        by = {
            one for of in re.findall(r"(?:by|on) \(([^)]*)\)", expression) for one in of.split(", ")
        }
        by |= set(re.findall(r"[{,](\w+)=", expression))
        assert by <= labels, expression


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
