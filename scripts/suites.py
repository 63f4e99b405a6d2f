#!/usr/bin/env python3
"""Runs Tandem's test suites and adds them up; scripts/test calls it after installing what it needs."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from reports import Report, print_report, read_conformance, read_junit, tail

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"
PYTHON = sys.executable
TSAN_OPTIONS = f"suppressions={ROOT}/tests/tsan.supp second_deadlock_stack=1"
SANITIZER_ENVIRONMENT = {
    # A report must fail its test. Leaks are looked for where the address sanitizer supports it. Abseil's containers mark
    # what they do not use, which the distribution's library, built without the sanitizer, does not take back.
    "asan": {"ASAN_OPTIONS": "detect_stack_use_after_return=1:allow_user_poisoning=0", "UBSAN_OPTIONS": "print_stacktrace=1"},
    # libgomp is not built for the thread sanitizer, which would take its barriers for races: one thread a plan.
    "tsan": {"TSAN_OPTIONS": TSAN_OPTIONS, "OMP_NUM_THREADS": "1"},
}


def run(name, command, timeout, **environment):
    """Runs a command with its output in a log -> (it succeeded, its output)."""
    log = LOGS / f"{name}.log"
    with open(log, "w", encoding="utf8", errors="replace") as out:
        try:
            code = subprocess.run([str(part) for part in command], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, timeout=timeout, env={**os.environ, **environment},
                                  check=False).returncode
        except subprocess.TimeoutExpired:
            out.write(f"\nstopped after {timeout} s\n")
            code = -1
    return code == 0, log.read_text(encoding="utf8", errors="replace")


def build(preset, *targets):
    """-> Report with one check: it compiles."""
    report = Report()
    ok, output = run(f"{preset}-build", ["scripts/build", "--no-setup", "--preset", preset, *targets], 5400)
    report.check(f"{preset} build", ok, tail(output))
    return report


def from_junit(name, path, command, timeout, **environment):
    """Runs a command that writes JUnit; a crash before it could do so is one failure."""
    path.unlink(missing_ok=True)
    ok, output = run(name, command, timeout, **environment)
    if not path.exists():
        return Report(failures=[(name, tail(output))])
    report = read_junit(path)
    if not ok and not report.failures:
        report.failures.append((name, tail(output)))
    return report


def style(_):
    """clang-format, in the one version that is pinned for everybody."""
    report = Report()
    listed = subprocess.run(["git", "ls-files", "*.cc", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True)
    sources = [source for source in listed.stdout.split() if (ROOT / source).exists()]
    clang_format = pathlib.Path(PYTHON).with_name("clang-format")
    _, output = run("style", [clang_format, "--dry-run", "-Werror", *sources], 300)
    wrong = set(re.findall(r"^(\S+?):\d+:\d+: error: code should be clang-formatted", output, re.M))
    for source in sources:
        report.check(f"format of {source}", source not in wrong, "run .deps/tests/bin/clang-format -i on it")
    if "error" in output and not wrong:
        report.failures.append(("clang-format", tail(output)))
    return report


def unit(_):
    report = build("release")
    if not report.failures:
        path = LOGS / "unit.xml"
        command = ["ctest", "--test-dir", BUILD, "-j", os.cpu_count(), "--timeout", 120, "--output-junit", path,
                   "--exclude-regex", "^conformance$"]
        report.add(from_junit("unit", path, command, 1200))
    return report


def pytest(name, folder, *paths, timeout=1200, **environment):
    """Runs Python tests against the programs in a build folder."""
    path = LOGS / f"{name}.xml"
    command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", 300, "--junitxml", path, *paths]
    return from_junit(name, path, command, timeout, TANDEM_BIN_DIR=str(folder / "bin"), **environment)


def integration(_):
    return pytest("integration", BUILD, "tests", "--ignore=tests/tasks")


def conformance_cases(name, folder, timeout, **environment):
    """The engine beside ONNX's own cases, one line a case."""
    program = folder / "bin/conformance_test"
    if not program.exists():
        return Report(failures=[(name, f"{program} was not built")])
    ok, output = run(name, [program, "--verbose"], timeout, **environment)
    report = read_conformance(output)
    if not ok and not report.failures:
        report.failures.append((name, tail(output)))
    return report


def conformance(_):
    return conformance_cases("conformance", BUILD, 1200)


def tasks(_):
    return pytest("tasks", BUILD, "tests/tasks")


def gtest_programs(folder):
    """The names of the GoogleTest programs of a configured build folder, built or not."""
    shown = subprocess.run(["ctest", "--test-dir", folder, "--show-only=json-v1"], cwd=ROOT, capture_output=True,
                           text=True, check=True)
    names = set()
    for test in json.loads(shown.stdout)["tests"]:
        command = test.get("command") or [""]
        if test["name"].endswith("_NOT_BUILT"):
            names.add(test["name"].removesuffix("_NOT_BUILT"))
        elif any("--gtest_filter" in part for part in command):
            names.add(pathlib.Path(command[0]).name)
    return sorted(names)


def sanitized(preset, leave_out=()):
    """The unit tests, one process a program because sanitizers start slowly, and the tests of the request path."""
    environment = SANITIZER_ENVIRONMENT[preset]
    folder = BUILD / preset
    ok, output = run(f"{preset}-configure", ["cmake", "--preset", preset], 300)
    if not ok:
        return Report(failures=[(f"{preset} configure", tail(output))])
    programs = [name for name in gtest_programs(folder) if name not in leave_out]
    others = ["tandemd", "tandemctl", "tandem-model", *{"conformance_test"}.difference(leave_out)]
    report = build(preset, *others, *programs)
    if report.failures:
        return report
    for program in programs:
        name = f"{preset}-{program}"
        path = LOGS / f"{name}.xml"
        command = [folder / "bin" / program, f"--gtest_output=xml:{path}"]
        report.add(from_junit(name, path, command, 900, **environment))
    if "conformance_test" not in leave_out:
        report.add(conformance_cases(f"{preset}-conformance", folder, 2400, **environment))
    report.add(pytest(f"{preset}-requests", folder, "tests/integration", "-m", "request_path", **environment))
    return report


def asan(_):
    return sanitized("asan")


def tsan(_):
    # Operators are pure functions: there are no threads to watch in their tests, which are half of what is compiled.
    return sanitized("tsan", leave_out=("ops_test", "conformance_test"))


def locks(_):
    """Clang checks what each lock guards, and every warning is an error."""
    return build("clang")


SUITES = {"style": style, "unit": unit, "conformance": conformance, "integration": integration, "tasks": tasks,
          "asan": asan, "tsan": tsan, "locks": locks}
QUICK = ("style", "unit", "integration")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--only", nargs="+", choices=SUITES, metavar="SUITE", help="only these suites")
    parser.add_argument("--list", action="store_true", help="name the suites")
    args = parser.parse_args()
    if args.list:
        print("\n".join(SUITES))
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    total = Report()
    for name in args.only or (QUICK if args.quick else SUITES):
        start = time.time()
        report = SUITES[name](args)
        print_report(name, report, time.time() - start)
        total.add(report)
    print(f"{total.passed} passed, {len(total.failures)} failed, {len(total.skipped)} skipped")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
