#include "engine/tool/npz_samples.h"

#include <zip.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/strip.h"
#include "engine/npz/npz.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

struct ZipCloser {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct ZipFileCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using ZipFile = std::unique_ptr<zip_file_t, ZipFileCloser>;

// One member of the archive, read forwards; going back opens it anew.
class Member {
 public:
  Member(zip_t* archive, zip_uint64_t index) : archive_(archive), index_(index) {}

  absl::Status ReadHeader() {
    std::string begin(kMaxNpyHeader, '\0');
    TANDEM_ASSIGN_OR_RETURN(const size_t got, ReadAt(0, begin.data(), begin.size()));
    begin.resize(got);
    TANDEM_ASSIGN_OR_RETURN(header_, ParseNpyHeader(begin));
    return absl::OkStatus();
  }

  // Elements from byte `offset` of the data on, as many as `tensor` holds.
  absl::Status ReadElements(uint64_t offset, Tensor& tensor) {
    TANDEM_ASSIGN_OR_RETURN(
        const size_t got, ReadAt(header_.data_offset + offset, static_cast<char*>(tensor.data()), tensor.num_bytes()));
    if (got != tensor.num_bytes()) return absl::DataLossError("is truncated");
    if (tensor.type() == DataType::kBool) {  // any byte may come from a file; only 0 and 1 are bools
      auto* const bytes = static_cast<unsigned char*>(tensor.data());
      for (int64_t i = 0; i < tensor.num_elements(); ++i) bytes[i] = bytes[i] != 0 ? 1 : 0;
    }
    return absl::OkStatus();
  }

  const NpyHeader& header() const { return header_; }
  // Frees what reading holds.
  void Close() { file_.reset(); }

 private:
  absl::StatusOr<size_t> ReadAt(uint64_t offset, char* to, size_t size) {
    if (file_ == nullptr || position_ > offset) {
      file_.reset(zip_fopen_index(archive_, index_, 0));
      position_ = 0;
      if (file_ == nullptr) return absl::DataLossError("cannot be opened");
    }
    std::string skipped(std::min<uint64_t>(offset - position_, 1 << 20), '\0');
    while (position_ < offset) {
      const uint64_t step = std::min<uint64_t>(offset - position_, skipped.size());
      TANDEM_ASSIGN_OR_RETURN(const size_t got, ReadNext(skipped.data(), step));
      if (got < step) return size_t{0};
    }
    return ReadNext(to, size);
  }

  absl::StatusOr<size_t> ReadNext(char* to, size_t size) {
    size_t done = 0;
    while (done < size) {
      const zip_int64_t got = zip_fread(file_.get(), to + done, size - done);
      if (got < 0) return absl::DataLossError("is damaged");
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    position_ += done;
    return done;
  }

  zip_t* const archive_;
  const zip_uint64_t index_;
  ZipFile file_;
  uint64_t position_ = 0;
  NpyHeader header_;
};

bool AllFinite(const Tensor& tensor) {
  if (tensor.type() == DataType::kFloat32) {
    const auto values = tensor.values<float>();
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  }
  if (tensor.type() == DataType::kFloat64) {
    const auto values = tensor.values<double>();
    return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  }
  return true;
}

// Whether `shape` is one that `spec` takes.
bool Fits(const TensorSpec& spec, const Shape& shape) {
  if (!spec.has_rank) return true;
  if (shape.size() != spec.shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (spec.shape[i] != kUnknownDim && spec.shape[i] != shape[i]) return false;
  }
  return true;
}

class NpzSamples : public Samples {
 public:
  NpzSamples(std::string path, std::vector<TensorSpec> inputs) : path_(std::move(path)), inputs_(std::move(inputs)) {}

  absl::Status Open() {
    int error = 0;
    archive_.reset(zip_open(path_.c_str(), ZIP_RDONLY, &error));
    if (archive_ == nullptr) {
      const char* const why = error == ZIP_ER_NOENT ? "does not exist" : "is no .npz file or cannot be read";
      return absl::InvalidArgumentError(absl::StrCat(path_, ": ", why));
    }
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive_.get(), 0); ++i) {
      const char* const name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
      if (name != nullptr) members_[std::string(absl::StripSuffix(name, ".npy"))] = static_cast<zip_uint64_t>(i);
    }
    for (const TensorSpec& input : inputs_) {
      TANDEM_RETURN_IF_ERROR(WithContext(AddInput(input), absl::StrCat(path_, ": array '", input.name, "'")));
    }
    return absl::OkStatus();
  }

  int64_t size() const override { return size_; }

  absl::StatusOr<std::vector<Tensor>> Read(int64_t index) override {
    std::vector<Tensor> tensors;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      absl::StatusOr<Tensor> tensor = ReadInput(i, index);
      if (!tensor.ok()) {
        return WithContext(tensor.status(),
                           absl::StrCat(path_, ": sample ", index, " of the input '", inputs_[i].name, "'"));
      }
      tensors.push_back(*std::move(tensor));
    }
    return tensors;
  }

 private:
  // The arrays of one input: a single one with samples along its first axis, or one a sample.
  struct Source {
    bool stacked = false;
    std::vector<std::unique_ptr<Member>> members;
  };

  absl::Status AddInput(const TensorSpec& input) {
    Source source;
    if (auto it = members_.find(input.name); it != members_.end()) {
      source.stacked = true;
      TANDEM_RETURN_IF_ERROR(AddMember(input, it->second, source));
    } else {
      for (;;) {
        auto each = members_.find(absl::StrCat(input.name, ".", source.members.size()));
        if (each == members_.end()) break;
        TANDEM_RETURN_IF_ERROR(AddMember(input, each->second, source));
      }
      if (source.members.empty()) {
        return absl::InvalidArgumentError(absl::StrCat("is not there, nor is '", input.name, ".0'"));
      }
    }
    const int64_t count =
        source.stacked ? source.members[0]->header().shape[0] : static_cast<int64_t>(source.members.size());
    if (count == 0) return absl::InvalidArgumentError("holds no samples");
    if (!sources_.empty() && count != size_) {
      return absl::InvalidArgumentError(
          absl::StrCat("holds ", count, " samples, that of '", inputs_[0].name, "' ", size_));
    }
    size_ = count;
    sources_.push_back(std::move(source));
    return absl::OkStatus();
  }

  absl::Status AddMember(const TensorSpec& input, zip_uint64_t index, Source& source) {
    auto member = std::make_unique<Member>(archive_.get(), index);
    TANDEM_RETURN_IF_ERROR(member->ReadHeader());
    const NpyHeader& header = member->header();
    if (header.type != input.type) {
      return absl::InvalidArgumentError(absl::StrCat("is ", NameOf(header.type), ", the input ", NameOf(input.type)));
    }
    Shape shape = header.shape;
    if (source.stacked && shape.empty()) return absl::InvalidArgumentError("has no axis for samples");
    if (source.stacked) shape[0] = 1;
    if (!Fits(input, shape)) {
      return absl::InvalidArgumentError(
          absl::StrCat("makes samples of shape ", ToString(shape), ", the input takes ", ToString(input.shape)));
    }
    if (!source.stacked) member->Close();
    source.members.push_back(std::move(member));
    return absl::OkStatus();
  }

  absl::StatusOr<Tensor> ReadInput(size_t input, int64_t index) {
    Source& source = sources_[input];
    Member& member = *source.members[source.stacked ? 0 : index];
    Shape shape = member.header().shape;
    if (source.stacked) shape[0] = 1;
    Tensor tensor(member.header().type, std::move(shape));
    const uint64_t offset = source.stacked ? static_cast<uint64_t>(index) * tensor.num_bytes() : 0;
    TANDEM_RETURN_IF_ERROR(member.ReadElements(offset, tensor));
    if (!source.stacked) member.Close();
    if (!AllFinite(tensor)) return absl::InvalidArgumentError("holds numbers that are infinite or not a number");
    return tensor;
  }

  const std::string path_;
  const std::vector<TensorSpec> inputs_;
  std::unique_ptr<zip_t, ZipCloser> archive_;
  std::map<std::string, zip_uint64_t> members_;
  std::vector<Source> sources_;  // one an input
  int64_t size_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Samples>> OpenNpzSamples(const std::string& path,
                                                        const std::vector<TensorSpec>& inputs) {
  auto samples = std::make_unique<NpzSamples>(path, inputs);
  TANDEM_RETURN_IF_ERROR(samples->Open());
  return samples;
}

std::vector<TensorSpec> InputSpecs(const Graph& graph) {
  std::vector<TensorSpec> specs;
  for (ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    TensorSpec spec{.name = value.name, .type = value.type, .has_rank = value.shape.has_value()};
    spec.shape = value.shape.value_or(Shape{});
    specs.push_back(std::move(spec));
  }
  return specs;
}

absl::StatusOr<std::vector<int64_t>> ReadLabels(const std::string& path, int64_t count) {
  TANDEM_ASSIGN_OR_RETURN(const Tensor tensor, ReadNpy(path));
  if (tensor.type() != DataType::kInt64 && tensor.type() != DataType::kInt32) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": labels are ", NameOf(tensor.type()), ", not int64"));
  }
  if (tensor.num_elements() != count) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": holds ", tensor.num_elements(), " labels for ", count, " samples"));
  }
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(tensor.type() == DataType::kInt64 ? tensor.values<int64_t>()[i] : tensor.values<int32_t>()[i]);
  }
  return labels;
}

}  // namespace tandem::engine
