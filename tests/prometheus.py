"""Runs Prometheus over a server of a test, with the rules of deploy/prometheus, and asks it."""
import contextlib
import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import tandemd
from small_models import until

RULES = tandemd.ROOT / "deploy/prometheus"
CONFIG = """global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [tandem.rules.yml, tandem.alerts.yml]
scrape_configs:
  - job_name: tandem
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    def __init__(self, address):
        self.address = address

    def get(self, path, **arguments):
        """-> what the API has under "data"; what it refuses is an error with its words."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(arguments, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{arguments}: {error.read().decode()}") from error

    def now(self, expression):
        """-> the value of each series, by its labels."""
        return [(item["metric"], float(item["value"][1])) for item in self.get("query", query=expression)["result"]]

    def over(self, expression, start, end, step=1):
        """-> (labels, [(time, value) ...]) of each series."""
        result = self.get("query_range", query=expression, start=start, end=end, step=step)["result"]
        return [(item["metric"], [(float(t), float(v)) for t, v in item["values"]]) for item in result]


def _start(folder):
    """Prometheus cannot take any free port by itself: one is looked for, and another one if it is taken meanwhile."""
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(["prometheus", f"--config.file={folder / 'prometheus.yml'}",
                                        f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"],
                                       stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        ready = f"http://{address}/-/ready"
        until(lambda: process.poll() is not None or tandemd.answers(ready, timeout=5), "Prometheus")
        if process.poll() is None:
            return process, address
    raise RuntimeError(f"Prometheus does not start:\n{(folder / 'log').read_text()[-4000:]}")


@contextlib.contextmanager
def watching(server, folder, at_once=True):
    """Scrapes the server every second. `at_once`: alerts do not wait before they fire; all else is as deployed."""
    folder.mkdir()
    for file in RULES.glob("tandem.*.yml"):
        text = file.read_text()
        (folder / file.name).write_text(re.sub(r"^ +for: \w+\n", "", text, flags=re.M) if at_once else text)
    (folder / "prometheus.yml").write_text(CONFIG.format(target=server.http))
    process, address = _start(folder)
    try:
        yield Prometheus(address)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder / "data", ignore_errors=True)
