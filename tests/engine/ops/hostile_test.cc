// Throws malformed nodes at inference and kernels: whatever a model or a request holds, the answer is a status. Most
// useful under the address and undefined-behaviour sanitizers.
#include <cmath>
#include <limits>
#include <random>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using Integers = std::vector<int64_t>;

// A valid node, from which hostile ones are made.
struct Example {
  std::string op;
  std::vector<std::pair<std::string, Attribute>> attributes;
  std::vector<Tensor> inputs;
  int outputs = 1;
};

Tensor Floats(Shape shape) { return Tensor(DataType::kFloat32, std::move(shape)); }
Tensor Ints(const Integers& values) { return Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values); }
Attribute Text(const char* text) { return std::string(text); }
Attribute Number(int64_t number) { return number; }
Attribute Real(float number) { return number; }

std::vector<Example> MovingExamples() {
  return {
      {"Shape", {{"start", Number(0)}, {"end", Number(2)}}, {Floats({2, 3})}},
      {"Reshape", {{"allowzero", Number(0)}}, {Floats({2, 3}), Ints({3, -1})}},
      {"Flatten", {{"axis", Number(1)}}, {Floats({2, 3, 2})}},
      {"Squeeze", {}, {Floats({1, 3}), Ints({0})}},
      {"Unsqueeze", {}, {Floats({2, 3}), Ints({0, 2})}},
      {"Expand", {}, {Floats({3, 1}), Ints({2, 1, 4})}},
      {"ConstantOfShape", {{"value", Tensor::Of<int32_t>({1}, {5})}}, {Ints({2, 3})}},
      {"Range", {}, {Tensor::Scalar<int64_t>(0), Tensor::Scalar<int64_t>(9), Tensor::Scalar<int64_t>(2)}},
      {"Range", {}, {Tensor::Scalar<float>(0), Tensor::Scalar<float>(9), Tensor::Scalar<float>(2)}},
      {"EyeLike", {{"k", Number(1)}, {"dtype", Number(7)}}, {Floats({3, 3})}},
      {"OneHot", {{"axis", Number(-1)}}, {Ints({0, 2, -1}), Tensor::Scalar<int64_t>(3), Floats({2})}},
      {"Transpose", {{"perm", Integers{1, 0, 2}}}, {Floats({2, 3, 2})}},
      {"DepthToSpace", {{"blocksize", Number(2)}, {"mode", Text("CRD")}}, {Floats({1, 8, 2, 3})}},
      {"SpaceToDepth", {{"blocksize", Number(2)}}, {Floats({1, 2, 4, 2})}},
      {"Concat", {{"axis", Number(1)}}, {Floats({2, 1}), Floats({2, 3}), Floats({2, 0})}},
      {"Tile", {}, {Floats({2, 3}), Ints({2, 1})}},
      {"Trilu", {{"upper", Number(0)}}, {Floats({2, 3, 3}), Tensor::Scalar<int64_t>(1)}},
      {"ReverseSequence", {{"batch_axis", Number(0)}, {"time_axis", Number(1)}}, {Floats({2, 3}), Ints({1, 3})}},
      {"Slice", {}, {Floats({4, 5}), Ints({0, -1}), Ints({4, -5}), Ints({0, 1}), Ints({2, -2})}},
      {"Split", {{"axis", Number(0)}}, {Floats({5, 2}), Ints({2, 3})}, 2},
      {"Split", {{"axis", Number(1)}, {"num_outputs", Number(3)}}, {Floats({2, 7})}, 3},
      {"Compress", {{"axis", Number(1)}}, {Floats({2, 3}), Tensor(DataType::kBool, {3})}},
      {"Pad", {{"mode", Text("reflect")}}, {Floats({2, 3}), Ints({1, 2, 0, -1})}},
      {"Pad", {{"mode", Text("constant")}}, {Floats({2, 3}), Ints({1, -2}), Floats({1}), Ints({1})}},
      {"CenterCropPad", {{"axes", Integers{1, 0}}}, {Floats({4, 3}), Ints({2, 6})}},
  };
}

std::vector<Example> IndexingExamples() {
  return {
      {"Gather", {{"axis", Number(1)}}, {Floats({2, 3, 2}), Ints({0, 2, -1})}},
      {"GatherElements", {{"axis", Number(0)}}, {Floats({3}), Ints({0, 2, -1})}},
      {"GatherND", {{"batch_dims", Number(0)}}, {Floats({2, 3}), Tensor(DataType::kInt64, {4, 2})}},
      {"ScatterElements", {{"axis", Number(0)}, {"reduction", Text("add")}}, {Floats({3}), Ints({0, 1}), Floats({2})}},
      {"ScatterND", {{"reduction", Text("max")}}, {Floats({3, 2}), Tensor(DataType::kInt64, {2, 1}), Floats({2, 2})}},
      {"TensorScatter",
       {{"axis", Number(1)}, {"mode", Text("circular")}},
       {Floats({2, 4, 2}), Floats({2, 2, 2}), Ints({1, 3})}},
      {"TopK", {{"axis", Number(0)}, {"largest", Number(1)}}, {Floats({4, 3}), Ints({2})}, 2},
      {"NonZero", {}, {Floats({2, 3})}},
      {"Unique", {{"axis", Number(1)}, {"sorted", Number(0)}}, {Floats({2, 3})}, 4},
      {"NonMaxSuppression",
       {{"center_point_box", Number(1)}},
       {Floats({1, 3, 4}), Floats({1, 2, 3}), Ints({2}), Floats({1}), Floats({1})}},
      {"TfIdfVectorizer",
       {{"max_gram_length", Number(2)},
        {"min_gram_length", Number(1)},
        {"max_skip_count", Number(1)},
        {"ngram_counts", Integers{0, 1}},
        {"ngram_indexes", Integers{0, 1}},
        {"pool_int64s", Integers{1, 2, 3}}},
       {Ints({1, 2, 3})}},
  };
}

std::vector<Example> SamplingExamples() {
  return {
      {"Col2Im",
       {{"strides", Integers{1, 1}}, {"pads", Integers{0, 0, 0, 0}}, {"dilations", Integers{1, 1}}},
       {Floats({1, 4, 4}), Ints({3, 3}), Ints({2, 2})}},
      {"Resize",
       {{"mode", Text("linear")}, {"antialias", Number(1)}, {"axes", Integers{1, 0}}},
       {Floats({4, 3}), Tensor(), Tensor::Of<float>({2}, {0.5f, 2})}},
      {"Resize",
       {{"mode", Text("cubic")}, {"keep_aspect_ratio_policy", Text("not_larger")}, {"exclude_outside", Number(1)}},
       {Floats({4, 3}), Tensor(), Tensor(), Ints({2, 5})}},
      {"Resize",
       {{"coordinate_transformation_mode", Text("tf_crop_and_resize")}},
       {Floats({4, 3}), Tensor::Of<float>({4}, {0, 0, 1, 1}), Tensor(), Ints({2, 5})}},
      {"GridSample",
       {{"mode", Text("cubic")}, {"padding_mode", Text("reflection")}, {"align_corners", Number(1)}},
       {Floats({1, 2, 3, 3}), Floats({1, 2, 2, 2})}},
      {"AffineGrid", {{"align_corners", Number(0)}}, {Floats({1, 2, 3}), Ints({1, 1, 2, 3})}},
      {"RoiAlign",
       {{"output_height", Number(2)},
        {"output_width", Number(2)},
        {"sampling_ratio", Number(0)},
        {"spatial_scale", Real(1)}},
       {Floats({1, 2, 3, 3}), Tensor::Of<float>({1, 4}, {0, 0, 2, 2}), Ints({0})}},
      {"MaxRoiPool",
       {{"pooled_shape", Integers{2, 2}}, {"spatial_scale", Real(1)}},
       {Floats({1, 2, 3, 3}), Tensor::Of<float>({1, 5}, {0, 0, 0, 2, 2})}},
      {"Det", {}, {Floats({2, 3, 3})}},
      {"RandomNormal", {{"shape", Integers{2, 3}}, {"seed", Real(1)}, {"dtype", Number(1)}}, {}},
      {"Bernoulli", {{"seed", Real(1)}, {"dtype", Number(9)}}, {Floats({3})}},
  };
}

Attribute Words(std::vector<std::string> words) { return words; }

std::vector<Example> WindowExamples() {
  const std::vector<std::pair<std::string, Attribute>> window = {{"kernel_shape", Integers{2, 2}},
                                                                 {"strides", Integers{2, 1}},
                                                                 {"pads", Integers{1, 0, 0, 1}},
                                                                 {"dilations", Integers{1, 1}},
                                                                 {"auto_pad", Text("NOTSET")},
                                                                 {"ceil_mode", Number(1)},
                                                                 {"group", Number(1)},
                                                                 {"count_include_pad", Number(1)},
                                                                 {"storage_order", Number(1)},
                                                                 {"p", Number(3)}};
  auto transposed = window;
  transposed.push_back({"output_padding", Integers{1, 0}});
  auto shaped = window;
  shaped.push_back({"output_shape", Integers{5, 6}});
  return {
      {"Conv", window, {Floats({1, 2, 4, 3}), Floats({3, 2, 2, 2}), Floats({3})}},
      {"ConvTranspose", transposed, {Floats({1, 2, 4, 3}), Floats({2, 3, 2, 2}), Floats({3})}},
      {"ConvTranspose", shaped, {Floats({1, 2, 4, 3}), Floats({2, 3, 2, 2})}},
      {"DeformConv",
       {{"offset_group", Number(2)}, {"group", Number(1)}, {"pads", Integers{0, 0, 0, 0}}},
       {Floats({1, 2, 3, 3}), Floats({1, 2, 2, 2}), Floats({1, 16, 2, 2}), Floats({1}), Floats({1, 8, 2, 2})}},
      {"MaxPool", window, {Floats({1, 2, 4, 3})}, 2},
      {"AveragePool", window, {Floats({1, 2, 4, 3})}},
      {"LpPool", window, {Floats({1, 2, 4, 3})}},
      {"GlobalMaxPool", {}, {Floats({1, 2, 4, 3})}},
      {"GlobalLpPool", {{"p", Number(2)}}, {Floats({1, 2, 4, 3})}},
      {"MaxUnpool",
       {{"kernel_shape", Integers{2}}, {"strides", Integers{2}}, {"pads", Integers{0, 0}}},
       {Floats({1, 1, 2}), Tensor(DataType::kInt64, {1, 1, 2}), Ints({1, 1, 6})}},
  };
}

std::vector<Example> ProductExamples() {
  return {
      {"MatMul", {}, {Floats({2, 1, 3, 4}), Floats({5, 4, 2})}},
      {"Gemm",
       {{"alpha", Real(2)}, {"transA", Number(1)}, {"transB", Number(0)}},
       {Floats({3, 2}), Floats({3, 4}), Floats({4})}},
      {"Einsum", {{"equation", Text("...ij,jk,kk->...ik")}}, {Floats({2, 3, 2}), Floats({2, 3}), Floats({3, 3})}},
      {"LSTM",
       {{"direction", Text("bidirectional")}, {"layout", Number(0)}, {"clip", Real(1)}, {"hidden_size", Number(2)}},
       {Floats({3, 2, 1}), Floats({2, 8, 1}), Floats({2, 8, 2}), Floats({2, 16}), Tensor::Of<int32_t>({2}, {3, 1}),
        Floats({2, 2, 2}), Floats({2, 2, 2}), Floats({2, 6})},
       3},
      {"GRU",
       {{"linear_before_reset", Number(1)}, {"activations", Words({"Elu", "Softplus"})}},
       {Floats({3, 2, 1}), Floats({1, 6, 1}), Floats({1, 6, 2}), Floats({1, 12})},
       2},
      {"RNN", {{"layout", Number(1)}}, {Floats({2, 3, 1}), Floats({1, 2, 1}), Floats({1, 2, 2})}, 2},
      {"Attention",
       {{"is_causal", Number(1)},
        {"left_window_size", Number(1)},
        {"q_num_heads", Number(2)},
        {"kv_num_heads", Number(1)},
        {"softcap", Real(1)},
        {"qk_matmul_output_mode", Number(2)}},
       {Floats({1, 2, 4}), Floats({1, 3, 2}), Floats({1, 3, 2}), Floats({2, 4}), Floats({1, 1, 1, 2}),
        Floats({1, 1, 1, 2})},
       4},
      {"Attention",
       {},
       {Floats({1, 1, 2, 1}), Floats({1, 1, 3, 1}), Floats({1, 1, 3, 1}), Tensor(), Tensor(), Tensor(), Ints({2})}},
      {"RotaryEmbedding",
       {{"interleaved", Number(1)}, {"rotary_embedding_dim", Number(2)}, {"num_heads", Number(2)}},
       {Floats({1, 2, 8}), Floats({3, 1}), Floats({3, 1}), Tensor::Of<int64_t>({1, 2}, {0, 2})}},
      {"LinearAttention",
       {{"update_rule", Text("gated_delta")}, {"q_num_heads", Number(2)}, {"kv_num_heads", Number(1)}},
       {Floats({1, 2, 4}), Floats({1, 2, 2}), Floats({1, 2, 3}), Floats({1, 1, 2, 3}), Floats({1, 2, 1}),
        Floats({1, 2, 1})},
       2},
      {"CausalConvWithState",
       {{"activation", Text("silu")}},
       {Floats({1, 2, 3}), Floats({2, 1, 3}), Floats({2}), Floats({1, 2, 2})},
       2},
  };
}

std::vector<Example> SignalExamples() {
  const Tensor hertz = Tensor::Scalar<float>(1000);
  return {
      {"DFT",
       {{"onesided", Number(1)}, {"inverse", Number(0)}},
       {Floats({2, 5, 1}), Tensor::Scalar<int64_t>(4), Tensor::Scalar<int64_t>(1)}},
      {"STFT",
       {{"onesided", Number(1)}},
       {Floats({1, 9, 1}), Tensor::Scalar<int64_t>(2), Floats({3}), Tensor::Scalar<int64_t>(3)}},
      {"HannWindow", {{"periodic", Number(0)}, {"output_datatype", Number(2)}}, {Tensor::Scalar<int64_t>(5)}},
      {"MelWeightMatrix",
       {{"output_datatype", Number(11)}},
       {Tensor::Scalar<int64_t>(3), Tensor::Scalar<int64_t>(16), Tensor::Scalar<int64_t>(8000),
        Tensor::Scalar<float>(0), hertz}},
  };
}

// Makes one hostile node after another, the same ones in every run.
class Mutator {
 public:
  void Mutate(Example& example) {
    const int changes = 1 + Below(3);
    for (int i = 0; i < changes; ++i) {
      const bool attribute = !example.attributes.empty() && (example.inputs.empty() || Below(2) == 0);
      if (attribute) {
        MutateAttribute(example.attributes[Below(static_cast<int>(example.attributes.size()))].second);
      } else if (!example.inputs.empty()) {
        MutateInput(example.inputs[Below(static_cast<int>(example.inputs.size()))]);
      }
    }
  }
  int Below(int limit) { return static_cast<int>(random_() % limit); }

 private:
  int64_t HostileInteger() {
    constexpr int64_t kNumbers[] = {std::numeric_limits<int64_t>::min(),
                                    std::numeric_limits<int64_t>::max(),
                                    std::numeric_limits<int32_t>::min(),
                                    int64_t{1} << 62,
                                    int64_t{1} << 33,
                                    (int64_t{1} << 32) + 1,
                                    -5,
                                    -2,
                                    -1,
                                    0,
                                    1,
                                    2,
                                    3,
                                    7};
    return kNumbers[Below(static_cast<int>(std::size(kNumbers)))];
  }
  float HostileReal() {
    constexpr float kNumbers[] = {0, -1, 1, 0.3f, 1e-30f, 1e30f, -1e30f, NAN, INFINITY, -INFINITY};
    return kNumbers[Below(static_cast<int>(std::size(kNumbers)))];
  }
  void MutateIntegers(Integers& values) {
    if (!values.empty() && Below(3) > 0) {
      values[Below(static_cast<int>(values.size()))] = HostileInteger();
    } else {
      values.resize(Below(6), HostileInteger());
    }
  }
  void MutateAttribute(Attribute& attribute) {
    if (auto* number = std::get_if<int64_t>(&attribute)) {
      *number = HostileInteger();
    } else if (auto* real = std::get_if<float>(&attribute)) {
      *real = HostileReal();
    } else if (auto* text = std::get_if<std::string>(&attribute)) {
      *text = "nonsense";
    } else if (auto* list = std::get_if<Integers>(&attribute)) {
      MutateIntegers(*list);
    }
  }
  void MutateInput(Tensor& input) {
    if (!input.defined()) return;
    constexpr DataType kTypes[] = {DataType::kFloat32, DataType::kFloat64, DataType::kInt64, DataType::kInt32,
                                   DataType::kUInt8,   DataType::kBool,    DataType::kInt16};
    const int what = Below(4);
    if (what == 0) {
      input = Tensor(kTypes[Below(static_cast<int>(std::size(kTypes)))], input.shape());
    } else if (what == 1) {
      Shape shape(Below(6));
      for (int64_t& dim : shape) dim = Below(4);
      input = Tensor(input.type(), shape);
    } else if (input.type() == DataType::kInt64) {
      Integers values(input.values<int64_t>().begin(), input.values<int64_t>().end());
      MutateIntegers(values);
      input = static_cast<int64_t>(values.size()) == input.num_elements() ? Tensor::Of<int64_t>(input.shape(), values)
                                                                          : Ints(values);
    } else if (input.type() == DataType::kFloat32 && input.num_elements() > 0) {
      input = input.Clone();
      input.mutable_values<float>()[Below(static_cast<int>(input.num_elements()))] = HostileReal();
    }
  }

  std::mt19937_64 random_{20240229};
};

// What the engine would allocate at once is not the operators' business; here it must fit the test.
constexpr int64_t kMaxTestElements = 1 << 16;

// Infers, with some shapes and contents hidden, and again with all known; then runs the kernel when its outputs are
// small. Returns whether the node was taken.
bool Exercise(const Example& example, Mutator& mutator) {
  const OpDef* op = FindOp(example.op);
  Node node;
  node.op = example.op;
  for (const auto& [name, value] : example.attributes) node.attributes.Set(name, value);
  node.inputs.assign(example.inputs.size(), 0);
  node.outputs.assign(example.outputs, 0);
  std::vector<ValueInfo> outputs;
  for (const bool hide : {true, false}) {
    std::vector<ValueInfo> infos;
    for (const Tensor& input : example.inputs) {
      infos.push_back({input.type(), input.shape(), input});
      if (hide && mutator.Below(2) == 0) infos.back().value = Tensor();
      if (hide && mutator.Below(4) == 0) infos.back() = {input.type(), std::nullopt, Tensor()};
    }
    std::vector<const ValueInfo*> pointers;
    for (size_t i = 0; i < infos.size(); ++i) {
      pointers.push_back(example.inputs[i].defined() ? &infos[i] : nullptr);
    }
    InferContext context(node, pointers, example.outputs);
    if (!op->infer(context).ok()) return false;
    outputs = context.outputs();
  }
  std::vector<Tensor> tensors;
  for (const ValueInfo& output : outputs) {
    EXPECT_NE(output.type, DataType::kUndefined) << example.op;
    if (output.shape.has_value() && NumElements(*output.shape) > kMaxTestElements) return false;
    tensors.push_back(output.shape.has_value() ? Tensor(output.type, *output.shape) : Tensor());
  }
  std::vector<const Tensor*> inputs;
  for (const Tensor& input : example.inputs) inputs.push_back(input.defined() ? &input : nullptr);
  KernelContext context(node, inputs, std::move(tensors));
  return op->kernel(context).ok();
}

void Attack(const std::vector<Example>& examples) {
  Mutator mutator;
  for (const Example& example : examples) {
    ASSERT_NE(FindOp(example.op), nullptr) << example.op;
    ASSERT_TRUE(Exercise(example, mutator)) << example.op << ": the example itself must be valid";
    for (int i = 0; i < 500; ++i) {
      Example hostile = example;
      mutator.Mutate(hostile);
      Exercise(hostile, mutator);
    }
  }
}

TEST(HostileNodes, AreRefusedOrRunByMovingOperators) { Attack(MovingExamples()); }
TEST(HostileNodes, AreRefusedOrRunByIndexingOperators) { Attack(IndexingExamples()); }
TEST(HostileNodes, AreRefusedOrRunBySamplingOperators) { Attack(SamplingExamples()); }
TEST(HostileNodes, AreRefusedOrRunByWindowedOperators) { Attack(WindowExamples()); }
TEST(HostileNodes, AreRefusedOrRunByProducts) { Attack(ProductExamples()); }
TEST(HostileNodes, AreRefusedOrRunBySignalOperators) { Attack(SignalExamples()); }

}  // namespace
}  // namespace tandem::engine
