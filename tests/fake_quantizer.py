"""A stand-in for `tandem-model quantize`, for tests of what the server does with it: it behaves as it is told."""
import dataclasses
import pathlib
import sys

# What every stand-in does first: reads its command line, notes that it was called, and tells of some progress.
PREAMBLE = """#!{python} -S
import hashlib, json, os, pathlib, shutil, signal, sys, time
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
out, half = pathlib.Path(option("--out")), pathlib.Path(option("--out") + ".half")
with open({calls!r}, "a") as calls:
    calls.write(json.dumps({{"words": words, "pid": os.getpid(), "nice": os.nice(0), "omp": os.environ["OMP_NUM_THREADS"],
                            "policy": os.sched_getscheduler(0)}}) + "\\n")
def say(event, **fields):
    print(json.dumps({{"event": event, **fields}}), flush=True)
def finish(verdict, isa={isa!r}, model={model!r}, **fields):
    half.mkdir()
    report = dict(format=1, verdict=verdict, reason="as told", cpu=dict(isa=isa), **fields)
    if model:
        shutil.copy(model, half / "model.onnx")
        report["artifact_sha256"] = hashlib.sha256((half / "model.onnx").read_bytes()).hexdigest()
    (half / "report.json").write_text(json.dumps(report))
    half.rename(out)
    say("done", verdict=verdict, reason="as told", artifact=str(out))
say("progress", stage="calibrate", done=0.25, seconds_left=9)
"""

SUCCEEDS = 'finish("{verdict}", loss=dict(metric="top1", value=0.001, lower=-0.001, upper=0.004, budget=0.01))\n'
REJECTS_UNBUILT = 'finish("rejected", model=None)\n'
HANGS = "signal.pause()\n"
CRASHES = 'half.mkdir()\n(half / "model.onnx").write_bytes(b"half")\nos.kill(os.getpid(), signal.SIGSEGV)\n'
FILLS_THE_DISK = ('half.mkdir()\n(half / "model.onnx").write_bytes(b"half")\n'
                  'sys.exit(f"tandem-model: {out}/model.onnx: No space left on device")\n')
SAYS_NOTHING = 'print("calibrating \\xff {{{" * 9999, flush=True)\n'
WRITES_GARBAGE = 'finish("proven")\n(out / "model.onnx").write_bytes(b"garbage")\n'
FORGETS_THE_REPORT = 'finish("proven")\n(out / "report.json").unlink()\n'


@dataclasses.dataclass
class FakeQuantizer:
    """`path` is the program. `model` is the int8 model it hands out, `isa` the CPU it claims to have judged on."""

    folder: pathlib.Path
    model: pathlib.Path
    isa: str

    @property
    def path(self):
        return self.folder / "quantizer"

    def behave(self, body):
        """From the next call on."""
        text = PREAMBLE.format(python=sys.executable, calls=str(self.folder / "calls"), isa=self.isa,
                               model=str(self.model)) + body
        new = self.folder / "quantizer.new"
        new.write_text(text)
        new.chmod(0o755)
        new.rename(self.path)

    def calls(self):
        """-> one dictionary a call so far."""
        import json
        log = self.folder / "calls"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
