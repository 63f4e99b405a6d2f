#include "tests/conformance/manifest.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/conformance/reason.h"

namespace tandem::conformance {

absl::StatusOr<Manifest> ReadManifest(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  Manifest manifest;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find(' ');
    const std::string verdict = space == std::string::npos ? "" : line.substr(space + 1);
    if (verdict != "pass" && KindOf(verdict).empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": '", line, "' is no NAME pass|REASON"));
    }
    if (!manifest.emplace(line.substr(0, space), verdict).second) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": '", line, "' is listed twice"));
    }
  }
  return manifest;
}

absl::Status WriteManifest(const std::string& path, const Manifest& manifest) {
  std::ofstream file(path);
  file << "# What every ONNX node case does; conformance_test checks it and rewrites it with --update. Reasons: see\n"
          "# reason.h.\n";
  for (const auto& [name, verdict] : manifest) file << name << ' ' << verdict << '\n';
  file.close();
  return file ? absl::OkStatus() : absl::UnknownError(absl::StrCat("cannot write ", path));
}

}  // namespace tandem::conformance
