"""Runs tandemctl against a server, as an operator would."""
import dataclasses
import json
import os
import subprocess

import pytest

import tandemd


@dataclasses.dataclass
class Tandemctl:
    """`address` is the server's admin address, `token` what it asks for."""

    address: str
    token: str = ""

    def start(self, *arguments):
        """-> the running process."""
        return subprocess.Popen([tandemd.BINARIES / "tandemctl", *map(str, arguments)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, "TANDEM_ADDRESS": self.address, "TANDEM_TOKEN": self.token})

    def text(self, *arguments, timeout=60):
        """-> what it printed; an exit code other than 0 is an error."""
        process = self.start(*arguments)
        out, error = process.communicate(timeout=timeout)
        assert process.returncode == 0, error
        return out

    def json(self, *arguments):
        return json.loads(self.text(*arguments, "--output", "json"))

    def refused(self, *arguments, code=1):
        """-> why, in one line."""
        process = self.start(*arguments)
        out, error = process.communicate(timeout=60)
        assert (process.returncode, out) == (code, ""), (process.returncode, out, error)
        assert error.startswith("tandemctl: ") and error.count("\n") == (1 if code == 1 else 2), error
        return error.removeprefix("tandemctl: ").splitlines()[0]


def report_outcome(server, **request):
    """One ReportOutcome, by a public client -> its answer, or the error."""
    tool = tandemd.ROOT / ".deps/go/bin/grpcurl"
    if not tool.exists():
        pytest.skip("grpcurl is not here; scripts/setup builds it")
    done = subprocess.run([tool, "-plaintext", "-d", json.dumps(request), server.admin,
                           "tandem.admin.v1.Admin/ReportOutcome"], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr
