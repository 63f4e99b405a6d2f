// A small portable matrix multiplication for the reference kernels: c += a * b for any strides.
//
// Blocked so that the innermost loops run over contiguous columns of constant length, which compilers vectorize; right
// first, and within a small factor of a tuned library. oneDNN takes the large products.
#ifndef TANDEM_ENGINE_OPS_GEMM_H_
#define TANDEM_ENGINE_OPS_GEMM_H_

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tandem::engine {

// A matrix somewhere in memory; element (r, c) is data[r * row_stride + c * column_stride].
template <typename T>
struct MatrixView {
  const T* data = nullptr;
  int64_t row_stride = 0;
  int64_t column_stride = 1;
};

namespace internal {

// Rows and columns of one register block, and how much of the inner dimension is packed at a time.
inline constexpr int64_t kGemmRows = 4;
inline constexpr int64_t kGemmColumns = 16;
inline constexpr int64_t kGemmDepth = 256;

// c[kGemmRows x columns] += a * panel, with `panel` packed to kGemmColumns a row.
template <typename T>
void MultiplyBlock(int64_t columns, int64_t depth, const MatrixView<T>& a, const T* panel, T* c, int64_t c_stride) {
  T sums[kGemmRows][kGemmColumns] = {};
  for (int64_t k = 0; k < depth; ++k) {
    const T* row = panel + k * kGemmColumns;
    for (int64_t i = 0; i < kGemmRows; ++i) {
      const T x = a.data[i * a.row_stride + k * a.column_stride];
      for (int64_t j = 0; j < kGemmColumns; ++j) sums[i][j] += x * row[j];
    }
  }
  for (int64_t i = 0; i < kGemmRows; ++i) {
    for (int64_t j = 0; j < columns; ++j) c[i * c_stride + j] += sums[i][j];
  }
}

// The same for a single row of a, as recurrent networks multiply by. The sums of even and odd steps are kept apart, so
// that additions need not wait for each other, and vectors are spelled out: compilers left to themselves keep a lone
// row of sums in memory, which is several times slower.
template <typename T>
void MultiplyRow(int64_t columns, int64_t depth, const MatrixView<T>& a, const T* panel, T* c) {
  typedef T Lane __attribute__((vector_size(16), aligned(alignof(T)), may_alias));
  constexpr int64_t kLanes = kGemmColumns * sizeof(T) / 16;
  Lane even[kLanes] = {};
  Lane odd[kLanes] = {};
  int64_t k = 0;
  for (; k + 2 <= depth; k += 2) {
    const T x = a.data[k * a.column_stride];
    const T y = a.data[(k + 1) * a.column_stride];
    const Lane* row = reinterpret_cast<const Lane*>(panel + k * kGemmColumns);
    for (int64_t j = 0; j < kLanes; ++j) even[j] += x * row[j];
    for (int64_t j = 0; j < kLanes; ++j) odd[j] += y * row[kLanes + j];
  }
  if (k < depth) {
    const Lane* row = reinterpret_cast<const Lane*>(panel + k * kGemmColumns);
    for (int64_t j = 0; j < kLanes; ++j) even[j] += a.data[k * a.column_stride] * row[j];
  }
  T sums[kGemmColumns];
  for (int64_t j = 0; j < kLanes; ++j) reinterpret_cast<Lane*>(sums)[j] = even[j] + odd[j];
  for (int64_t j = 0; j < columns; ++j) c[j] += sums[j];
}

// The two loops over a packed panel that both forms below share: c (m x columns) += a (m x depth) * panel.
template <typename T>
void MultiplyPanel(int64_t m, int64_t columns, int64_t depth, const MatrixView<T>& a, const T* panel, T* c,
                   int64_t c_stride) {
  int64_t row = 0;
  for (; row + kGemmRows <= m; row += kGemmRows) {
    const MatrixView<T> block{a.data + row * a.row_stride, a.row_stride, a.column_stride};
    MultiplyBlock<T>(columns, depth, block, panel, c + row * c_stride, c_stride);
  }
  for (; row < m; ++row) {
    const MatrixView<T> block{a.data + row * a.row_stride, a.row_stride, a.column_stride};
    MultiplyRow<T>(columns, depth, block, panel, c + row * c_stride);
  }
}

// panel (depth x kGemmColumns) = b (depth x columns), zeros on the right.
template <typename T>
void PackPanel(int64_t depth, int64_t columns, const MatrixView<T>& b, T* panel) {
  for (int64_t i = 0; i < depth; ++i) {
    const T* source = b.data + i * b.row_stride;
    for (int64_t j = 0; j < columns; ++j) panel[i * kGemmColumns + j] = source[j * b.column_stride];
    for (int64_t j = columns; j < kGemmColumns; ++j) panel[i * kGemmColumns + j] = T{0};
  }
}

}  // namespace internal

// c (m x n, rows `c_stride` apart) += a (m x k) * b (k x n). T is a floating or an unsigned integer type (signed ones
// would overflow undefined; two's complement makes their products the same bits).
template <typename T>
void MultiplyAdd(int64_t m, int64_t n, int64_t k, MatrixView<T> a, MatrixView<T> b, T* c, int64_t c_stride) {
  using internal::kGemmColumns;
  using internal::kGemmDepth;
  T panel[kGemmDepth * kGemmColumns];
  for (int64_t column = 0; column < n; column += kGemmColumns) {
    const int64_t columns = std::min(kGemmColumns, n - column);
    for (int64_t k0 = 0; k0 < k; k0 += kGemmDepth) {
      const int64_t depth = std::min(kGemmDepth, k - k0);
      internal::PackPanel<T>(depth, columns,
                             {b.data + k0 * b.row_stride + column * b.column_stride, b.row_stride, b.column_stride},
                             panel);
      internal::MultiplyPanel<T>(m, columns, depth, {a.data + k0 * a.column_stride, a.row_stride, a.column_stride},
                                 panel, c + column, c_stride);
    }
  }
}

// A right-hand matrix (k x n) packed once for many products.
template <typename T>
class PackedMatrix {
 public:
  PackedMatrix(int64_t k, int64_t n, const MatrixView<T>& b)
      : k_(k), n_(n), panels_((n + internal::kGemmColumns - 1) / internal::kGemmColumns * internal::kGemmColumns * k) {
    for (int64_t column = 0; column < n_; column += internal::kGemmColumns) {
      internal::PackPanel<T>(k_, std::min(internal::kGemmColumns, n_ - column),
                             {b.data + column * b.column_stride, b.row_stride, b.column_stride},
                             panels_.data() + column * k_);
    }
  }

  // c (m x n, rows `c_stride` apart) += a (m x k) * this.
  void MultiplyAdd(int64_t m, const MatrixView<T>& a, T* c, int64_t c_stride) const {
    for (int64_t column = 0; column < n_; column += internal::kGemmColumns) {
      internal::MultiplyPanel<T>(m, std::min(internal::kGemmColumns, n_ - column), k_, a, panels_.data() + column * k_,
                                 c + column, c_stride);
    }
  }

 private:
  int64_t k_;
  int64_t n_;
  std::vector<T> panels_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_GEMM_H_
