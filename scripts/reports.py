"""Results of test suites: reading JUnit files, adding up, printing."""
import dataclasses
import re
import xml.etree.ElementTree as ElementTree

EXCERPT_LINES = 30


@dataclasses.dataclass
class Report:
    """What one suite did. `skipped` and `failures` hold (test, reason)."""
    passed: int = 0
    failures: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failures += other.failures
        self.skipped += other.skipped

    def check(self, name, ok, reason=""):
        """Counts one check that is not in a JUnit file."""
        if ok:
            self.passed += 1
        else:
            self.failures.append((name, reason))


def tail(text, lines=EXCERPT_LINES):
    return "\n".join(text.rstrip().splitlines()[-lines:])


def _skip_reason(case, skipped):
    # GoogleTest prints "file:line: Skipped" and the reason below; CTest only says that it matched that.
    for text in (case.findtext("system-out") or "", skipped.get("message") or "", skipped.text or ""):
        match = re.search(r"Skipped\n(.+?)(\n\n|\n\[|$)", text, re.S)
        if match:
            return " ".join(match.group(1).split())
    return " ".join((skipped.get("message") or skipped.text or "no reason given").split())


def read_junit(path):
    """JUnit XML as CTest, GoogleTest and pytest write it -> Report."""
    report = Report()
    for case in ElementTree.parse(path).iter("testcase"):
        name = ".".join(filter(None, [case.get("classname"), case.get("name")]))
        failure = next((child for child in case if child.tag in ("failure", "error")), None)
        skipped = case.find("skipped")
        if failure is not None or case.get("status") == "fail":
            text = case.findtext("system-out") or (failure.text if failure is not None else "") or ""
            if not text and failure is not None:
                text = failure.get("message", "")
            report.failures.append((name, tail(text)))
        elif skipped is not None or case.get("status") in ("notrun", "disabled"):
            report.skipped.append((name, _skip_reason(case, skipped if skipped is not None else case)))
        elif case.get("result") == "suppressed":
            report.skipped.append((name, "disabled in the source"))
        else:
            report.passed += 1
    return report


def read_conformance(output):
    """Lines "NAME pass", "NAME KIND: why it cannot" and "FAILED NAME: why" -> Report."""
    report = Report()
    for line in output.splitlines():
        name, _, rest = line.partition(" ")
        if name == "FAILED":
            case, _, why = rest.partition(": ")
            report.failures.append((case, why))
        elif name == "Skipped:":
            report.skipped.append(("conformance", rest))
        elif name.startswith("test_") and rest == "pass":
            report.passed += 1
        elif name.startswith("test_"):
            report.skipped.append((name, rest.partition(":")[0]))
    return report


def print_report(name, report, seconds):
    print(f"{name:12} {report.passed:6} passed {len(report.failures):4} failed {len(report.skipped):4} skipped"
          f"   {seconds:6.0f} s", flush=True)
    reasons = {}
    for test, reason in report.skipped:
        reasons.setdefault(reason, []).append(test)
    for reason, tests in reasons.items():
        shown = ", ".join(tests[:3]) + (f" and {len(tests) - 3} more" if len(tests) > 3 else "")
        print(f"    skipped {shown}: {reason}")
    for test, reason in report.failures:
        print(f"    FAILED {test}")
        for line in reason.splitlines():
            print(f"        {line}")
