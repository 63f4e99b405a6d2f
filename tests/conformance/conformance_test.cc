// Runs the ONNX node conformance cases through the engine and holds the results against a manifest.
//
// Every case must be listed, do what it is listed for, and end without a crash: no case can leave unseen, and none that
// has begun to pass stays listed as failing. Exits with 1 otherwise, with 0 when the cases are not on this machine.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/conformance/isolate.h"
#include "tests/conformance/manifest.h"
#include "tests/conformance/reason.h"
#include "tests/conformance/run_case.h"

namespace tandem::conformance {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string cases = TANDEM_CONFORMANCE_CASES;
  std::string manifest = TANDEM_CONFORMANCE_MANIFEST;
  std::string only;
  int timeout_seconds = 60;
  bool update = false;
  bool verbose = false;
};

std::vector<std::string> CaseNames(const Options& options) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(options.cases)) {
    const std::string name = entry.path().filename().string();
    if (fs::exists(entry.path() / "model.onnx") && absl::StrContains(name, options.only)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// "pass", a reason, or "crash: HOW", which no manifest can list.
std::string Observe(const Options& options, const std::string& name) {
  const std::string directory = (fs::path(options.cases) / name).string();
  const IsolatedResult result = RunIsolated(
      [&]() -> std::string {
        const absl::Status status = RunCase(directory);
        return status.ok() ? "pass" : ReasonFor(directory, status);
      },
      options.timeout_seconds);
  return result.death.empty() ? result.output : absl::StrCat("crash: ", result.death);
}

class Tally {
 public:
  void Check(const Options& options, const std::string& name, const std::string* listed, const std::string& observed) {
    const std::string complaint = Complaint(listed, observed);
    if (!complaint.empty()) {
      ++failed_;
      std::cout << "FAILED " << name << ": " << complaint << "\n";
    } else if (observed == "pass") {
      ++passed_;
    } else {
      ++skipped_[observed.substr(0, observed.find_first_of(": "))];
    }
    if (options.verbose && complaint.empty()) std::cout << name << " " << observed << "\n";
  }

  void Missing(const std::string& name) {
    ++failed_;
    std::cout << "FAILED " << name << ": listed, but there is no such case\n";
  }

  // Whether nothing failed.
  bool Print() const {
    int skipped = 0;
    for (const auto& [reason, count] : skipped_) {
      std::cout << "  " << reason << ": " << count << "\n";
      skipped += count;
    }
    std::cout << passed_ << " passed, " << failed_ << " failed, " << skipped << " skipped\n";
    return failed_ == 0;
  }

 private:
  static std::string Complaint(const std::string* listed, const std::string& observed) {
    if (absl::StartsWith(observed, "crash: ")) return observed;
    if (listed == nullptr) return absl::StrCat("not in the manifest; it is: ", observed);
    if (*listed == observed) return "";
    if (*listed == "pass") return observed;
    if (observed == "pass") return absl::StrCat("passes, but is listed as ", *listed);
    if (KindOf(*listed) != KindOf(observed)) return absl::StrCat("listed as ", *listed, ", but: ", observed);
    return "";
  }

  int passed_ = 0;
  int failed_ = 0;
  std::map<std::string, int> skipped_;  // by kind of reason
};

// The manifest after what was seen: explanations that still hold stay as they were written.
Manifest Updated(const Options& options, Manifest manifest, const Manifest& seen) {
  for (auto it = manifest.begin(); it != manifest.end();) {
    const bool gone = absl::StrContains(it->first, options.only) && !seen.contains(it->first);
    it = gone ? manifest.erase(it) : std::next(it);
  }
  for (const auto& [name, observed] : seen) {
    if (absl::StartsWith(observed, "crash: ")) continue;
    std::string& listed = manifest[name];
    if (listed.empty() || KindOf(listed) != KindOf(observed)) listed = observed;
  }
  return manifest;
}

int Run(const Options& options) {
  if (!fs::is_directory(options.cases)) {
    std::cout << "Skipped: there are no conformance cases at " << options.cases << "\n";
    return 0;
  }
  auto manifest = ReadManifest(options.manifest);
  if (!manifest.ok() && !(options.update && absl::IsNotFound(manifest.status()))) {
    std::cerr << manifest.status().message() << "\n";
    return 1;
  }
  Manifest listed = manifest.ok() ? *std::move(manifest) : Manifest();
  Manifest seen;
  for (const std::string& name : CaseNames(options)) seen[name] = Observe(options, name);
  if (options.update) {
    listed = Updated(options, std::move(listed), seen);
    if (absl::Status status = WriteManifest(options.manifest, listed); !status.ok()) {
      std::cerr << status.message() << "\n";
      return 1;
    }
  }
  Tally tally;
  for (const auto& [name, observed] : seen) {
    const auto it = listed.find(name);
    tally.Check(options, name, it == listed.end() ? nullptr : &it->second, observed);
  }
  for (const auto& [name, verdict] : listed) {
    if (absl::StrContains(name, options.only) && !seen.contains(name)) tally.Missing(name);
  }
  return tally.Print() ? 0 : 1;
}

}  // namespace
}  // namespace tandem::conformance

int main(int argc, char** argv) {
  tandem::conformance::Options options;
  CLI::App app("Holds the engine against the ONNX node conformance cases.");
  app.add_option("--cases", options.cases, "Folder of the cases")->capture_default_str();
  app.add_option("--manifest", options.manifest, "What every case is known to do")->capture_default_str();
  app.add_option("--only", options.only, "Only cases whose name contains this");
  app.add_option("--timeout", options.timeout_seconds, "Seconds a case may take")->capture_default_str();
  app.add_flag("--update", options.update, "Rewrite the manifest with what is seen");
  app.add_flag("--verbose", options.verbose, "Print every case");
  CLI11_PARSE(app, argc, argv);
  return tandem::conformance::Run(options);
}
