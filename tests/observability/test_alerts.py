"""The rules and alerts of deploy/prometheus, by Prometheus' own tool; and that each alert says what to do."""
import re
import shutil
import subprocess

import pytest

import tandemd

FOLDER = tandemd.ROOT / "deploy/prometheus"
CASES = sorted((tandemd.ROOT / "tests/observability").glob("*.test.yml"))
ALERTS = re.findall(r"^ +- alert: (\w+)$", (FOLDER / "tandem.alerts.yml").read_text(), re.M)

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_takes_the_configuration_with_its_rules():
    promtool("check", "config", FOLDER / "prometheus.yml")


@needs_promtool
def test_prometheus_takes_what_stands_there_for_kubernetes_and_for_alerts(tmp_path):
    config = (FOLDER / "prometheus.yml").read_text()
    for rules in FOLDER.glob("tandem.*.yml"):
        shutil.copy(rules, tmp_path)
    # What is indented behind "# " is configuration, the rest are sentences. One job of that name at a time.
    config = re.sub(r"^( *)# (?=alerting:| {2,}\S|- job_name:)", r"\1", config, flags=re.M)
    config = config.replace("job_name: tandem", "job_name: first-tandem", 1)
    # Debian's Prometheus cannot look into Kubernetes: what is done with what is found there is checked.
    looks = "\n    kubernetes_sd_configs:\n      - role: pod\n"
    assert looks in config and "\n  alertmanagers:" in config
    config = config.replace(looks, "\n    static_configs: []\n")
    (tmp_path / "prometheus.yml").write_text(config)
    promtool("check", "config", tmp_path / "prometheus.yml")


@needs_promtool
@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.name)
def test_alerts_fire_when_they_should_and_only_then(cases):
    promtool("test", "rules", cases)


def test_every_alert_is_shown_to_fire():
    fired = set(re.findall(r'^ +- \{labels: .ALERTS\{alertname="(\w+)", alertstate="firing"',
                           "".join(path.read_text() for path in CASES), re.M))
    assert fired == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_says_what_it_means_and_what_to_do(alert):
    text = (FOLDER / "tandem.alerts.yml").read_text()
    block = re.search(rf"- alert: {alert}\n(.*?)(?=\n +- alert:|\Z)", text, re.S)[1]
    assert re.search(r"labels: \{severity: (critical|warning)\}", block)
    assert {"summary", "description", "runbook_url"} == set(re.findall(r"^ {10}(\w+):(?: |$)", block, re.M))
    assert f"runbook_url: docs/runbooks.md#{alert.lower()}\n" in block + "\n"
    runbook = re.search(rf"^## {alert}\n(.*?)(?=^## |\Z)", (tandemd.ROOT / "docs/runbooks.md").read_text(), re.M | re.S)
    assert runbook and len(runbook[1].split()) > 30


def test_no_runbook_is_about_an_alert_that_is_gone():
    headings = re.findall(r"^## (\w+)$", (tandemd.ROOT / "docs/runbooks.md").read_text(), re.M)
    assert headings == ALERTS
