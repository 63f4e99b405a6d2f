// NumPy broadcasting: the loop nest over an output and N inputs that stretch to its shape.
//
// Dimensions that all inputs traverse alike are merged, so that what is left is few, long rows, in each of which an
// input either advances by one element or stands still. Adding a bias per channel to NCHW is thus rows of H*W with a
// scalar; operands of one shape are a single row.
//
//   const Broadcast<2> loops(out_shape, {&a.shape(), &b.shape()});
//   loops.ForEachRow([&](int64_t out, const std::array<int64_t, 2>& in) {
//     for (int64_t i = 0; i < loops.row; ++i) y[out + i] = f(a[in[0] + i * loops.step[0]], b[in[1] + i *
//     loops.step[1]]);
//   });
#ifndef TANDEM_ENGINE_OPS_BROADCAST_H_
#define TANDEM_ENGINE_OPS_BROADCAST_H_

#include <array>
#include <cstdint>

#include "engine/ops/op.h"
#include "engine/ops/types.h"

namespace tandem::engine {

template <size_t N>
struct Broadcast {
  using Offsets = std::array<int64_t, N>;

  // Each of `inputs` must broadcast to `out` by itself.
  Broadcast(const Shape& out, const std::array<const Shape*, N>& inputs);

  // Calls `f(offset in the output, offsets in the inputs)` for every row; not at all when the output is empty.
  template <typename F>
  void ForEachRow(F&& f) const;

  int64_t row = 1;  // elements in a row
  Offsets step{};   // per input, 0 or 1: how it advances within a row

 private:
  struct Dim {
    int64_t size;
    Offsets strides;
  };
  absl::InlinedVector<Dim, 6> outer_;  // dimensions above the rows, outermost first
};

template <size_t N>
Broadcast<N>::Broadcast(const Shape& out, const std::array<const Shape*, N>& inputs) {
  Offsets stride;  // of the dimension at hand, were the input not stretched there
  stride.fill(1);
  absl::InlinedVector<Dim, 6> dims;  // innermost first
  for (size_t back = 1; back <= out.size(); ++back) {
    const int64_t size = out[out.size() - back];
    Dim dim{size, {}};
    for (size_t k = 0; k < N; ++k) {
      const Shape& shape = *inputs[k];
      const int64_t own = back <= shape.size() ? shape[shape.size() - back] : 1;
      dim.strides[k] = own == 1 ? 0 : stride[k];
      stride[k] *= own;
    }
    if (size == 1) continue;
    bool merges = !dims.empty();
    for (size_t k = 0; merges && k < N; ++k) merges = dim.strides[k] == dims.back().strides[k] * dims.back().size;
    if (merges)
      dims.back().size *= size;
    else
      dims.push_back(dim);
  }
  if (dims.empty()) return;
  row = dims.front().size;
  step = dims.front().strides;
  outer_.assign(dims.rbegin(), dims.rend() - 1);
}

template <size_t N>
template <typename F>
void Broadcast<N>::ForEachRow(F&& f) const {
  int64_t rows = 1;
  for (const Dim& dim : outer_) rows *= dim.size;
  if (row == 0 || rows == 0) return;
  absl::InlinedVector<int64_t, 6> index(outer_.size(), 0);
  Offsets offsets{};
  for (int64_t r = 0; r < rows; ++r) {
    f(r * row, offsets);
    for (size_t d = outer_.size(); d-- > 0;) {
      for (size_t k = 0; k < N; ++k) offsets[k] += outer_[d].strides[k];
      if (++index[d] < outer_[d].size) break;
      for (size_t k = 0; k < N; ++k) offsets[k] -= outer_[d].strides[k] * outer_[d].size;
      index[d] = 0;
    }
  }
}

// y[i] = f(a[i], b[i]) over broadcast inputs. `y` may be `a` or `b` when that has the output's shape.
template <typename A, typename B, typename R, typename F>
void BroadcastBinary(const Shape& a_shape, const A* a, const Shape& b_shape, const B* b, const Shape& out_shape, R* y,
                     const F& f) {
  const Broadcast<2> loops(out_shape, {&a_shape, &b_shape});
  const int64_t row = loops.row;
  if (loops.step[0] == 0) {
    loops.ForEachRow([&](int64_t out, const std::array<int64_t, 2>& in) {
      const A left = a[in[0]];
      const B* right = b + in[1];
      if (loops.step[1] == 0) {  // rows of one element
        for (int64_t i = 0; i < row; ++i) y[out + i] = f(left, right[0]);
        return;
      }
      for (int64_t i = 0; i < row; ++i) y[out + i] = f(left, right[i]);
    });
  } else if (loops.step[1] == 0) {
    loops.ForEachRow([&](int64_t out, const std::array<int64_t, 2>& in) {
      const A* left = a + in[0];
      const B right = b[in[1]];
      for (int64_t i = 0; i < row; ++i) y[out + i] = f(left[i], right);
    });
  } else {
    loops.ForEachRow([&](int64_t out, const std::array<int64_t, 2>& in) {
      const A* left = a + in[0];
      const B* right = b + in[1];
      for (int64_t i = 0; i < row; ++i) y[out + i] = f(left[i], right[i]);
    });
  }
}

// The shape that inputs [first, first + count) broadcast to; absent while one of theirs is. Refuses more than
// kMaxElements.
absl::StatusOr<std::optional<Shape>> BroadcastInputs(const InferContext& ctx, int first, int count);

// All inputs have one type; output 0 has it too, unless one is given, and the shape that all broadcast to.
absl::Status InferBroadcast(InferContext& ctx, DataType output = DataType::kUndefined);

// InferBroadcast for types in `List`.
template <typename List, DataType kOutput = DataType::kUndefined>
absl::Status InferBinary(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(List::Check(ctx.type(0)));
  return InferBroadcast(ctx, kOutput);
}

// Applies the function object F to the elements of inputs 0 and 1, of one type in `List`.
template <typename List, typename F>
absl::Status BinaryKernel(KernelContext& ctx) {
  return List::Dispatch(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    using R = decltype(F()(t, t));
    const Tensor& a = ctx.input(0);
    const Tensor& b = ctx.input(1);
    Tensor& y = ctx.output(0);
    BroadcastBinary(a.shape(), a.values<T>().data(), b.shape(), b.values<T>().data(), y.shape(),
                    y.mutable_values<R>().data(), F());
    return absl::OkStatus();
  });
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_BROADCAST_H_
