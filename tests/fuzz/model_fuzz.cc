// Mutates model files and loads and runs them: nothing may crash or hang. Errors are what we want.
//
// Half of the mutations change bytes, half change fields of the message (dimensions, attributes, names, types), which
// reach further. The last mutant is kept in a file, so that a crash leaves its cause behind; run that with --file.
#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"
#include "tests/engine/graph_maker.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostArenaBytes = size_t{64} << 20;  // plans that need more are compiled, not run
constexpr unsigned kHangSeconds = 60;                 // for one mutant, sanitizers included
constexpr uintmax_t kLargestSeed = 300 << 10;

std::string ConvNet() {
  ModelMaker maker;
  maker.Input("x", {-1, 3, 8, 8}).Output("y");
  maker.Constant(FloatTensor("w", {8, 3, 3, 3}, ValuesOf(RandomFloats({8, 3, 3, 3}, 1))));
  maker.Constant(FloatTensor("b", {8}, ValuesOf(RandomFloats({8}, 2)))).Constant(Int64Tensor("s", {2}, {-1, 8}));
  maker.Node("Conv", {"x", "w", "b"}, {"c"}).Ints("pads", {1, 1, 1, 1}).Ints("strides", {2, 2});
  maker.Node("BatchNormalization", {"c", "b", "b", "b", "b"}, {"n"});
  maker.Node("Relu", {"n"}, {"r"});
  maker.Node("MaxPool", {"r"}, {"p"}).Ints("kernel_shape", {2, 2}).Ints("strides", {2, 2});
  maker.Node("Resize", {"p", "", "", "sizes"}, {"z"}).String("mode", "nearest");
  maker.Constant(Int64Tensor("sizes", {4}, {1, 8, 4, 4}));
  maker.Node("GlobalAveragePool", {"z"}, {"g"});
  maker.Node("Reshape", {"g", "s"}, {"f"});
  maker.Node("Softmax", {"f"}, {"y"}).Int("axis", 1);
  return maker.Bytes();
}

std::string Attention() {
  ModelMaker maker;
  maker.Input("x", {2, -1, 8}).Output("y").Constant(FloatTensor("w", {8, 8}, ValuesOf(RandomFloats({8, 8}, 1))));
  maker.Constant(Int64Tensor("heads", {4}, {0, 0, 2, 4})).Constant(Int64Tensor("whole", {3}, {0, 0, 8}));
  maker.Constant(FloatTensor("v", {8}, ValuesOf(RandomFloats({8}, 3))));
  maker.Node("MatMul", {"x", "w"}, {"q"});
  maker.Node("Reshape", {"q", "heads"}, {"h"});
  maker.Node("Transpose", {"h"}, {"t"}).Ints("perm", {0, 2, 1, 3});
  maker.Node("Transpose", {"h"}, {"k"}).Ints("perm", {0, 2, 3, 1});
  maker.Node("MatMul", {"t", "k"}, {"scores"});
  maker.Node("Softmax", {"scores"}, {"p"});
  maker.Node("MatMul", {"p", "t"}, {"m"});
  maker.Node("Transpose", {"m"}, {"u"}).Ints("perm", {0, 2, 1, 3});
  maker.Node("Reshape", {"u", "whole"}, {"z"});
  maker.Node("LayerNormalization", {"z", "v", "v"}, {"l"});
  maker.Node("Split", {"l"}, {"a", "b"}).Int("axis", 2).Int("num_outputs", 2);
  maker.Node("Concat", {"b", "a"}, {"y"}).Int("axis", -1);
  return maker.Bytes();
}

// No Loop: a mutant that never ends is no fault of the engine.
std::string Branches() {
  SubgraphMaker then, otherwise, body;
  then.Output("t");
  then.Node("Add", {"x", "w"}, {"t"});
  otherwise.Output("e");
  otherwise.Node("Concat", {"x", "x"}, {"e"}).Int("axis", 0);
  body.Input("s", {}).Input("v", {}).Output("n").Output("o");
  body.Node("Add", {"s", "v"}, {"n"});
  body.Node("Mul", {"n", "n"}, {"o"});
  ModelMaker maker;
  maker.Input("x", {-1})
      .Output("y")
      .Output("z")
      .Constant(FloatTensor("w", {}, {2}))
      .Constant(FloatTensor("0", {}, {0}));
  maker.Node("ReduceSum", {"x"}, {"sum"}).Int("keepdims", 0);
  maker.Node("Less", {"sum", "0"}, {"c"});
  maker.Node("If", {"c"}, {"r"}).Graph("then_branch", then.graph()).Graph("else_branch", otherwise.graph());
  maker.Node("Scan", {"0", "r"}, {"last", "y"}).Graph("body", body.graph()).Int("num_scan_inputs", 1);
  maker.Node("NonZero", {"x"}, {"i"});
  maker.Node("Transpose", {"i"}, {"j"});
  maker.Node("GatherND", {"x", "j"}, {"g"});
  maker.Node("TopK", {"g", "one"}, {"z", "k"});
  maker.Constant(Int64Tensor("one", {1}, {1}));
  return maker.Bytes();
}

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string Mutate(const std::string& seed) {
    if (Below(2) == 0) return MutateBytes(seed);
    onnx::ModelProto model;
    if (!model.ParseFromString(seed)) return MutateBytes(seed);
    const uint32_t changes = 1 + Below(3);
    for (uint32_t i = 0; i < changes; ++i) MutateGraph(*model.mutable_graph());
    if (Below(8) == 0 && model.opset_import_size() > 0) model.mutable_opset_import(0)->set_version(6 + Below(20));
    return model.SerializeAsString();
  }

 private:
  uint32_t Below(uint32_t end) { return end == 0 ? 0 : static_cast<uint32_t>(random_() % end); }

  int64_t AnyInteger() {
    static constexpr int64_t kValues[] = {
        0,         1,        -1, 2, 3, 4, 7, 16, 1000, -2, -1000, int64_t{1} << 31, int64_t{1} << 33, int64_t{1} << 62,
        INT64_MAX, INT64_MIN};
    return kValues[Below(std::size(kValues))];
  }

  std::string MutateBytes(std::string bytes) {
    const uint32_t changes = 1 + Below(4);
    for (uint32_t i = 0; i < changes && !bytes.empty(); ++i) {
      const size_t at = Below(static_cast<uint32_t>(bytes.size()));
      switch (Below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
          break;
        case 2:
          bytes.erase(at, 1 + Below(8));
          break;
        default:
          bytes.insert(at, bytes.substr(Below(static_cast<uint32_t>(bytes.size())), 1 + Below(16)));
      }
    }
    return bytes;
  }

  std::string AnyName(const onnx::GraphProto& graph) {
    const auto& node = graph.node(static_cast<int>(Below(graph.node_size())));
    if (Below(6) == 0) return "";
    if (Below(2) == 0 && node.input_size() > 0) return node.input(static_cast<int>(Below(node.input_size())));
    return node.output_size() > 0 ? node.output(static_cast<int>(Below(node.output_size()))) : "";
  }

  void MutateAttribute(onnx::AttributeProto& attribute) {
    if (attribute.has_g() && Below(4) != 0) return MutateGraph(*attribute.mutable_g());
    if (attribute.ints_size() > 0 && Below(3) != 0) {
      attribute.set_ints(static_cast<int>(Below(attribute.ints_size())), AnyInteger());
    } else if (attribute.ints_size() > 0) {
      Below(2) == 0 ? attribute.add_ints(AnyInteger()) : attribute.mutable_ints()->RemoveLast();
    } else if (Below(6) == 0) {
      attribute.set_type(static_cast<onnx::AttributeProto::AttributeType>(Below(8)));
    } else {
      attribute.set_i(AnyInteger());
    }
  }

  void MutateNode(onnx::GraphProto& graph, onnx::NodeProto& node) {
    static const char* const kOps[] = {"Add",      "MatMul",    "Conv",      "Reshape", "Slice", "Gather",
                                       "Identity", "Transpose", "Where",     "Pad",     "Split", "Softmax",
                                       "Gemm",     "Expand",    "Unsqueeze", "Concat"};
    switch (Below(6)) {
      case 0:
        if (node.op_type() != "Loop") node.set_op_type(kOps[Below(std::size(kOps))]);
        break;
      case 1:
        if (node.input_size() > 0) node.set_input(static_cast<int>(Below(node.input_size())), AnyName(graph));
        break;
      case 2:
        if (node.input_size() > 0) node.mutable_input()->RemoveLast();
        break;
      case 3:
        node.add_input(AnyName(graph));
        break;
      case 4:
        if (node.output_size() > 0) node.set_output(static_cast<int>(Below(node.output_size())), AnyName(graph));
        break;
      default:
        if (node.attribute_size() > 0) {
          MutateAttribute(*node.mutable_attribute(static_cast<int>(Below(node.attribute_size()))));
        }
    }
  }

  void MutateTensor(onnx::TensorProto& tensor) {
    switch (Below(4)) {
      case 0:
        if (tensor.dims_size() > 0) tensor.set_dims(static_cast<int>(Below(tensor.dims_size())), AnyInteger());
        break;
      case 1:
        tensor.add_dims(Below(2) == 0 ? 1 : AnyInteger());
        break;
      case 2:
        tensor.set_data_type(static_cast<int>(Below(20)));
        break;
      default:
        if (tensor.int64_data_size() > 0) {
          tensor.set_int64_data(static_cast<int>(Below(tensor.int64_data_size())), AnyInteger());
        } else if (tensor.dims_size() > 1) {
          tensor.mutable_dims()->SwapElements(0, tensor.dims_size() - 1);
        }
    }
  }

  void MutateGraph(onnx::GraphProto& graph) {
    if (graph.node_size() == 0) return;
    switch (Below(4)) {
      case 0:
        if (graph.initializer_size() > 0) {
          return MutateTensor(*graph.mutable_initializer(static_cast<int>(Below(graph.initializer_size()))));
        }
        break;
      case 1:
        if (graph.input_size() > 0) {
          auto& type = *graph.mutable_input(static_cast<int>(Below(graph.input_size())))->mutable_type();
          auto& shape = *type.mutable_tensor_type()->mutable_shape();
          if (Below(4) == 0) return type.mutable_tensor_type()->set_elem_type(static_cast<int>(Below(17)));
          if (Below(4) == 0 || shape.dim_size() == 0) return shape.add_dim()->set_dim_value(1 + Below(4));
          return shape.mutable_dim(static_cast<int>(Below(shape.dim_size())))->set_dim_value(AnyInteger());
        }
        break;
      default:
        break;
    }
    MutateNode(graph, *graph.mutable_node(static_cast<int>(Below(graph.node_size()))));
  }

  std::mt19937 random_;
};

// Whether the model loaded and ran.
bool Try(const std::string& path) {
  const auto model = Model::Load(path);
  if (!model.ok()) return false;
  bool ran = false;
  Session session;
  for (int64_t free : {1, 3}) {
    std::vector<Shape> shapes;
    int64_t elements = 0;
    for (const TensorSpec& input : (*model)->inputs()) {
      Shape shape = input.shape;
      for (int64_t& dim : shape) dim = dim == kUnknownDim ? free : dim;
      elements += NumElements(shape);
      shapes.push_back(std::move(shape));
    }
    if (elements > (1 << 20)) continue;
    const auto run = session.Prepare(*model, shapes);
    if (!run.ok() || session.arena_bytes() > kMostArenaBytes) continue;
    for (size_t i = 0; i < shapes.size(); ++i) {
      Tensor& input = (*run)->input(static_cast<int>(i));
      auto* const bytes = static_cast<unsigned char*>(input.data());
      for (size_t b = 0; b < input.num_bytes(); ++b) bytes[b] = b % 3 == 0 ? 1 : 0;
    }
    ran = (*run)->Run().ok() || ran;
  }
  return ran;
}

std::vector<std::string> Seeds(const std::string& folder) {
  std::vector<std::string> seeds = {ConvNet(), Attention(), Branches()};
  std::error_code absent;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
    if (entry.path().extension() == ".onnx" && entry.file_size() < kLargestSeed) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return seeds;
}

int Fuzz(double seconds, uint32_t first_seed, const std::string& models, const std::string& kept) {
  const TemporaryFolder folder;
  const std::string path = kept.empty() ? (folder.path() / "mutant.onnx").string() : kept;
  const std::vector<std::string> seeds = Seeds(models);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  int count = 0, ran = 0;
  for (const std::string& seed : seeds) {
    std::ofstream(path, std::ios::binary) << seed;
    if (!Try(path)) {
      std::fprintf(stderr, "seed %zd of the corpus does not run\n", &seed - seeds.data());
      return 1;
    }
  }
  for (; Clock::now() < end; ++count) {
    const std::string mutant = Mutator(first_seed + static_cast<uint32_t>(count)).Mutate(seeds[count % seeds.size()]);
    std::ofstream(path, std::ios::binary) << mutant;
    alarm(kHangSeconds);
    ran += Try(path) ? 1 : 0;
    alarm(0);
  }
  std::printf("%d mutants of %zu models, %d of them ran\n", count, seeds.size(), ran);
  return 0;
}

}  // namespace
}  // namespace tandem::engine

int main(int argc, char** argv) {
  CLI::App app("Loads and runs damaged models.");
  double seconds = 4;
  uint32_t seed = 1;
  std::string models, keep, file;
  app.add_option("--seconds", seconds, "How long")->capture_default_str();
  app.add_option("--seed", seed, "Of the first mutant; the n-th has seed + n")->capture_default_str();
  app.add_option("--models", models, "A folder of models, of which small ones are mutated too");
  app.add_option("--keep", keep, "Where the mutant at work is kept");
  app.add_option("--file", file, "Only this model, as it is");
  CLI11_PARSE(app, argc, argv);
  if (file.empty()) return tandem::engine::Fuzz(seconds, seed, models, keep);
  std::printf("%s\n", tandem::engine::Try(file) ? "runs" : "does not run");
  return 0;
}
