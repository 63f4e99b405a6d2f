#include "engine/kernels/binary.h"

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

using BinaryKernel = void (*)(Isa, const BinaryParameters&, size_t, const uint8_t*, const uint8_t*, uint8_t*);

// Calls `f(parameters)` for all combinations of quantizations and activations.
template <typename F>
void ForAllParameters(F&& f) {
  for (const Quantization& a : Quantizations()) {
    for (const Quantization& b : Quantizations()) {
      for (const Quantization& y : Quantizations()) {
        for (Activation activation : {Activation::kNone, Activation::kRelu}) f(BinaryParameters{a, b, y, activation});
      }
    }
  }
}

template <typename Reference>
void ExpectLike(BinaryKernel kernel, Reference&& reference) {
  const std::vector<uint8_t> a = RandomBytes(kLongest, 1), b = RandomBytes(kLongest, 2);
  ForAllParameters([&](const BinaryParameters& parameters) {
    std::vector<uint8_t> expected(kLongest);
    for (size_t i = 0; i < kLongest; ++i) {
      const float steps = reference(parameters, Steps(parameters.a, a[i]), Steps(parameters.b, b[i]));
      expected[i] = Rounded(parameters.y, steps, parameters.activation);
    }
    for (Isa isa : Isas()) {
      Result<uint8_t> y(kLongest);
      kernel(isa, parameters, kLongest, a.data(), b.data(), y.data());
      ASSERT_EQ(y.Get(), expected) << NameOf(isa);
    }
  });
  const BinaryParameters parameters = {{}, {}, {}, Activation::kNone};
  for (Isa isa : Isas()) {
    for (size_t count = 0; count <= kLongest; ++count) {
      Result<uint8_t> y(count);
      kernel(isa, parameters, count, a.data(), b.data(), y.data());
      const std::vector<uint8_t> result = y.Get();
      for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(result[i], Rounded({}, reference(parameters, a[i], b[i]))) << NameOf(isa) << ", " << i;
      }
    }
  }
}

TEST(AddTest, EqualsThePlainSum) {
  ExpectLike(Add, [](const BinaryParameters& p, int a, int b) {
    return static_cast<float>(a) * (p.a.scale / p.y.scale) + static_cast<float>(b) * (p.b.scale / p.y.scale);
  });
}

TEST(MultiplyTest, EqualsThePlainProduct) {
  ExpectLike(Multiply, [](const BinaryParameters& p, int a, int b) {
    return static_cast<float>(a * b) * (p.a.scale * p.b.scale / p.y.scale);
  });
}

TEST(AddTest, RoundsTiesToEvenAndSaturates) {
  const std::vector<uint8_t> a = {1, 3, 5, 255, 0}, b = {0, 0, 0, 255, 0};
  const BinaryParameters parameters = {{ByteType::kUInt8, 1, 0}, {ByteType::kUInt8, 1, 0}, {ByteType::kInt8, 2, -100}};
  for (Isa isa : Isas()) {
    std::vector<uint8_t> y(a.size());
    Add(isa, parameters, y.size(), a.data(), b.data(), y.data());
    const auto* stored = reinterpret_cast<const int8_t*>(y.data());
    EXPECT_THAT(std::vector<int>(stored, stored + y.size()), testing::ElementsAre(-100, -98, -98, 127, -100));
  }
}

TEST(AddTest, MayReplaceAnOperand) {
  const std::vector<uint8_t> a = RandomBytes(kLongest, 1), b = RandomBytes(kLongest, 2);
  const BinaryParameters parameters = {{ByteType::kUInt8, 1, 3}, {ByteType::kInt8, 1, 0}, {ByteType::kUInt8, 2, 7}};
  for (Isa isa : Isas()) {
    std::vector<uint8_t> apart(kLongest), in_place = a;
    Add(isa, parameters, kLongest, a.data(), b.data(), apart.data());
    Add(isa, parameters, kLongest, in_place.data(), b.data(), in_place.data());
    EXPECT_EQ(in_place, apart) << NameOf(isa);
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
