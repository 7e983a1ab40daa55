"""Alert rules and dashboard: well formed, tried, explained, and of figures that exist."""

import json
import re

import pytest
import yaml
from tools import REPO, run

RULES = REPO / "deploy" / "prometheus" / "alerts.yaml"
TRIALS = REPO / "deploy" / "prometheus" / "alerts.test.yaml"
DASHBOARD = REPO / "deploy" / "grafana" / "dashboard.json"
OPERATIONS = REPO / "docs" / "operations.md"
CHART = REPO / "helm" / "netbox-rir-sidecar" / "files"

ALERTS = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
PANELS = json.loads(DASHBOARD.read_text())["panels"]


def documented():
    """Each metric of the table in docs/operations.md with its labels."""
    rows = [line.strip("|").split("|") for line in OPERATIONS.read_text().splitlines() if line.startswith("| `rir_sidecar_")]
    return {name.strip(" `"): (kind.strip(), set(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in rows}


def family(name):
    """The metric that a time series belongs to."""
    return re.sub(r"_(bucket|sum|count)$", "", name) if "_seconds_" in name else name


def expressions():
    of_alerts = [(rule["alert"], rule["expr"]) for rule in ALERTS]
    return of_alerts + [(panel["title"], target["expr"]) for panel in PANELS for target in panel.get("targets", [])]


def test_rules_are_understood():
    run("promtool", "check", "rules", RULES)


def test_rules_fire_when_they_should_and_only_then():
    run("promtool", "test", "rules", TRIALS)


def test_each_alert_is_tried():
    tried = {case["alertname"] for trial in yaml.safe_load(TRIALS.read_text())["tests"] for case in trial["alert_rule_test"] if case["exp_alerts"]}
    assert tried == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_has_a_section(rule):
    assert set(rule["annotations"]) == {"summary", "description"}
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert f"\n### {rule['alert']}\n" in OPERATIONS.read_text()


def test_no_section_is_left_of_an_alert_that_is_gone():
    sections = re.findall(r"^### (RirSidecar\w+)$", OPERATIONS.read_text(), re.MULTILINE)
    assert sections == [rule["alert"] for rule in ALERTS]


@pytest.mark.parametrize(("where", "expression"), expressions(), ids=lambda value: value if value.isidentifier() else "")
def test_only_figures_that_are_documented_are_used(where, expression):
    known = documented()
    assert len(known) > 15, "the table in docs/operations.md was not found"
    for name in re.findall(r"\brir_sidecar_\w+", expression):
        assert family(name) in known, f"{where} uses {name}"
    grouped = {label for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in re.split(r",\s*", group)}
    used = grouped | set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", expression))
    labels = set().union(*(known[family(name)][1] for name in re.findall(r"\brir_sidecar_\w+", expression)))
    assert used - {"le", "job"} <= labels, where


def test_no_figure_has_a_label_that_a_scrape_gives():
    for name, (_, labels) in documented().items():
        assert not labels & {"instance", "job"}, f"Prometheus would rename the label of {name}"


def test_the_dashboard_shows_every_figure():
    shown = {family(name) for _, expression in expressions() for name in re.findall(r"\brir_sidecar_\w+", expression)}
    assert shown == set(documented())


def test_the_dashboard_works_with_any_prometheus():
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["schemaVersion"] >= 39
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
    assert "id" not in dashboard, "the id is that of one Grafana"
    for panel in PANELS:
        if panel["type"] != "row":
            assert {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])} == {"${datasource}"}
            assert panel["description"], panel["title"]


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("ours", [RULES, DASHBOARD], ids=lambda path: path.name)
def test_the_chart_has_the_same(ours):
    assert (CHART / ours.name).read_text() == ours.read_text(), f"copy {ours} to {CHART}"
