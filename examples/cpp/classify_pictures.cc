// Says what is in pictures of 28 x 28 grey pixels, by the demo's classifier.
//
//   classify_pictures HOST:PORT PICTURE.pgm...
//
// All pictures are asked for at once; the answers are printed in the order of the pictures.
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>
#include <tandem/client/client.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <vector>

namespace {

using tandem::client::Client;
using tandem::client::InferRequest;
using tandem::client::InferResult;
using tandem::client::Tensor;

constexpr char kModel[] = "fashion_mnist";
constexpr int kSide = 28;
constexpr const char* kClasses[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

// Grey values from 0 to 255 of a binary PGM file.
absl::StatusOr<std::vector<float>> ReadPicture(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string magic;
  int width = 0, height = 0, brightest = 0;
  in >> magic >> width >> height >> brightest;
  in.get();  // the one character between header and pixels
  const std::string pixels{std::istreambuf_iterator<char>(in), {}};
  if (magic != "P5" || width != kSide || height != kSide || brightest != 255 || pixels.size() != kSide * kSide) {
    return absl::InvalidArgumentError(path + ": expected a binary PGM file of 28 x 28 pixels");
  }
  std::vector<float> values;
  for (const char pixel : pixels) values.push_back(static_cast<unsigned char>(pixel));
  return values;
}

absl::Status Print(const std::string& path, const absl::StatusOr<InferResult>& result) {
  if (!result.ok()) return result.status();
  const absl::StatusOr<absl::Span<const float>> probabilities = result->Values<float>("probabilities");
  if (!probabilities.ok()) return probabilities.status();
  const auto likeliest = std::max_element(probabilities->begin(), probabilities->end());
  std::printf("%s: %s, %.0f%% (%s, version %lld)\n", path.c_str(), kClasses[likeliest - probabilities->begin()],
              *likeliest * 100.0, result->variant.c_str(), static_cast<long long>(result->version));
  return absl::OkStatus();
}

absl::Status Classify(const std::string& server, const std::vector<std::string>& paths) {
  const auto client = Client::Create(server);
  if (!client.ok()) return client.status();
  std::vector<std::future<absl::StatusOr<InferResult>>> results;
  for (const std::string& path : paths) {
    const auto picture = ReadPicture(path);
    if (!picture.ok()) return picture.status();
    InferRequest request;
    request.model = kModel;
    request.inputs = {Tensor::Of<float>("pixels", {1, 1, kSide, kSide}, *picture)};
    results.push_back((*client)->InferAsync(request));
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    if (absl::Status status = Print(paths[i], results[i].get()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: classify_pictures HOST:PORT PICTURE.pgm...\n", stderr);
    return 2;
  }
  const absl::Status status = Classify(argv[1], {argv + 2, argv + argc});
  if (!status.ok()) std::fprintf(stderr, "classify_pictures: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
