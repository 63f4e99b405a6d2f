"""Starts the server for a test, on ports that are free, and stops it as an operator would."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
BINARIES = pathlib.Path(os.environ.get("TANDEM_BIN_DIR", ROOT / "build/bin"))


class Server:
    """A running tandemd. `grpc`, `http` and `admin` are its addresses, `log` the file it writes to."""

    def __init__(self, process, addresses, log):
        self.process, self.log = process, log
        self.grpc, self.http, self.admin = (addresses.get(key) for key in ("grpc", "http", "admin"))

    def stop(self, timeout=60):
        """SIGTERM, as at the end of a deployment -> the exit code. What it logged is shown when that is not 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        if code != 0:
            print(self.log.read_text()[-8000:])
        return code


def _wait_until_ready(process, ready, log, timeout):
    deadline = time.monotonic() + timeout
    while not ready.exists():
        if process.poll() is not None:
            raise RuntimeError(f"tandemd ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"tandemd was not ready after {timeout} s:\n{log.read_text()[-4000:]}")
        time.sleep(0.02)
    return json.loads(ready.read_text())


@contextlib.contextmanager
def running(*arguments, timeout=120, environment=None):
    """A server with these arguments and additions to its environment; an exit code other than 0 at its end is an error."""
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        log, ready = work / "log", work / "ready"
        command = [BINARIES / "tandemd", *arguments, "--ready-file", ready]
        for port in ("--grpc-address", "--http-address", "--admin-address"):
            if port not in arguments:
                command += [port, "127.0.0.1:0"]
        if "--state-dir" not in arguments:
            command += ["--state-dir", work / "state"]
        with open(log, "wb") as out:
            process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT,
                                       env={**os.environ, **(environment or {})})
        try:
            yield Server(process, _wait_until_ready(process, ready, log, timeout), log)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            if code != 0:
                raise RuntimeError(f"tandemd ended with {code}:\n{log.read_text()[-4000:]}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def answers(url, timeout):
    """Whether somebody answers there, and with 200."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status == 200
    except OSError:
        return False


def resident(server):
    """Bytes of the server in memory, as it says itself."""
    text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
    return float(re.search(r"^process_resident_memory_bytes (\S+)", text, re.M).group(1))
