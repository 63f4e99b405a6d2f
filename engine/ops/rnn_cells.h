// One time step of LSTM, GRU and RNN for a whole batch.
//
// A cell is made once for a direction and holds its packed recurrent weights. Step() takes rows of gate inputs (the
// input's part already there, in the order of the ONNX weights) and moves hidden (and cell) state rows on; rows whose
// `active` flag is unset keep their state.
#ifndef TANDEM_ENGINE_OPS_RNN_CELLS_H_
#define TANDEM_ENGINE_OPS_RNN_CELLS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "engine/ops/gemm.h"
#include "engine/ops/rnn_activations.h"

namespace tandem::engine {

// What a direction of any of the three operators has. Null pointers stand for absent inputs.
template <typename T>
struct CellWeights {
  int64_t hidden = 0;
  const T* recurrent = nullptr;       // R: [gates * hidden, hidden]
  const T* recurrent_bias = nullptr;  // the second half of B: [gates * hidden]
  const T* peepholes = nullptr;       // LSTM's P: [3 * hidden], for i, o, f
  absl::Span<const Activation> activations;
  T clip = 0;  // 0: none
  bool input_forget = false;
  bool linear_before_reset = false;
};

template <typename T>
void ClipRow(T clip, T* x, int64_t count) {
  if (!(clip > 0)) return;
  for (int64_t i = 0; i < count; ++i) x[i] = std::min(std::max(x[i], -clip), clip);
}

// R's rows [first, first + count) as a right-hand matrix [hidden, count].
template <typename T>
PackedMatrix<T> PackRecurrent(const CellWeights<T>& weights, int64_t first, int64_t count) {
  return PackedMatrix<T>(weights.hidden, count, {weights.recurrent + first * weights.hidden, 1, weights.hidden});
}

template <typename T>
class SimpleCell {
 public:
  static constexpr int64_t kGates = 1;
  explicit SimpleCell(const CellWeights<T>& weights)
      : weights_(weights), recurrent_(PackRecurrent(weights, 0, weights.hidden)) {}

  void Step(int64_t batch, const std::vector<char>& active, T* gates, T* hidden_state, T* /*cell_state*/) {
    const int64_t hidden = weights_.hidden;
    recurrent_.MultiplyAdd(batch, {hidden_state, hidden}, gates, hidden);
    for (int64_t b = 0; b < batch; ++b) {
      if (active[b] == 0) continue;
      T* row = gates + b * hidden;
      ClipRow(weights_.clip, row, hidden);
      weights_.activations[0].Apply(row, hidden);
      std::copy_n(row, hidden, hidden_state + b * hidden);
    }
  }

  // Which gates' recurrent bias the driver may add to the input's part.
  int64_t FoldedBias() const { return weights_.hidden; }

 private:
  CellWeights<T> weights_;
  PackedMatrix<T> recurrent_;
};

// Gates i, o, f, c.
template <typename T>
class LstmCell {
 public:
  static constexpr int64_t kGates = 4;
  explicit LstmCell(const CellWeights<T>& weights)
      : weights_(weights), recurrent_(PackRecurrent(weights, 0, kGates * weights.hidden)), scratch_(weights.hidden) {}

  void Step(int64_t batch, const std::vector<char>& active, T* gates, T* hidden_state, T* cell_state) {
    const int64_t width = kGates * weights_.hidden;
    recurrent_.MultiplyAdd(batch, {hidden_state, weights_.hidden}, gates, width);
    for (int64_t b = 0; b < batch; ++b) {
      if (active[b] != 0) {
        StepRow(gates + b * width, hidden_state + b * weights_.hidden, cell_state + b * weights_.hidden);
      }
    }
  }

  int64_t FoldedBias() const { return kGates * weights_.hidden; }

 private:
  void StepRow(T* gates, T* h, T* c) {
    const int64_t hidden = weights_.hidden;
    T* const input = gates;
    T* const output = gates + hidden;
    T* const forget = gates + 2 * hidden;
    T* const candidate = gates + 3 * hidden;
    const auto activate = [&](int which, T* row, int64_t count) {
      ClipRow(weights_.clip, row, count);
      weights_.activations[which].Apply(row, count);
    };
    if (weights_.peepholes != nullptr) {
      const T* p = weights_.peepholes;
      for (int64_t i = 0; i < hidden; ++i) input[i] += p[i] * c[i];
      for (int64_t i = 0; i < hidden; ++i) forget[i] += p[2 * hidden + i] * c[i];
    }
    activate(0, input, hidden);
    if (weights_.input_forget) {
      for (int64_t i = 0; i < hidden; ++i) forget[i] = 1 - input[i];
    } else {
      activate(0, forget, hidden);
    }
    activate(1, candidate, hidden);
    for (int64_t i = 0; i < hidden; ++i) c[i] = forget[i] * c[i] + input[i] * candidate[i];
    if (weights_.peepholes != nullptr) {
      const T* p = weights_.peepholes + hidden;
      for (int64_t i = 0; i < hidden; ++i) output[i] += p[i] * c[i];
    }
    activate(0, output, hidden);
    std::copy_n(c, hidden, scratch_.data());
    activate(2, scratch_.data(), hidden);
    for (int64_t i = 0; i < hidden; ++i) h[i] = output[i] * scratch_[i];
  }

  CellWeights<T> weights_;
  PackedMatrix<T> recurrent_;
  std::vector<T> scratch_;
};

// Gates z, r, h.
template <typename T>
class GruCell {
 public:
  static constexpr int64_t kGates = 3;
  explicit GruCell(const CellWeights<T>& weights)
      : weights_(weights),
        recurrent_zr_(PackRecurrent(weights, 0, 2 * weights.hidden)),
        recurrent_h_(PackRecurrent(weights, 2 * weights.hidden, weights.hidden)) {}

  void Step(int64_t batch, const std::vector<char>& active, T* gates, T* hidden_state, T* /*cell_state*/) {
    const int64_t hidden = weights_.hidden;
    const int64_t width = kGates * hidden;
    candidate_.assign(batch * hidden, T{0});
    recurrent_zr_.MultiplyAdd(batch, {hidden_state, hidden}, gates, width);
    for (int64_t b = 0; b < batch; ++b) {
      ClipRow(weights_.clip, gates + b * width, 2 * hidden);
      weights_.activations[0].Apply(gates + b * width, 2 * hidden);
    }
    if (weights_.linear_before_reset) {
      LinearThenReset(batch, gates, hidden_state);
    } else {
      ResetThenLinear(batch, gates, hidden_state);
    }
    for (int64_t b = 0; b < batch; ++b) {
      if (active[b] != 0) Finish(gates + b * width, candidate_.data() + b * hidden, hidden_state + b * hidden);
    }
  }

  // The hidden gate's recurrent bias must wait for the reset when that comes after the product.
  int64_t FoldedBias() const { return (weights_.linear_before_reset ? 2 : 3) * weights_.hidden; }

 private:
  void LinearThenReset(int64_t batch, const T* gates, const T* hidden_state) {
    const int64_t hidden = weights_.hidden;
    recurrent_h_.MultiplyAdd(batch, {hidden_state, hidden}, candidate_.data(), hidden);
    const T* bias = weights_.recurrent_bias != nullptr ? weights_.recurrent_bias + 2 * hidden : nullptr;
    for (int64_t b = 0; b < batch; ++b) {
      T* row = candidate_.data() + b * hidden;
      const T* reset = gates + (b * kGates + 1) * hidden;
      if (bias != nullptr) {
        for (int64_t i = 0; i < hidden; ++i) row[i] += bias[i];
      }
      for (int64_t i = 0; i < hidden; ++i) row[i] *= reset[i];
    }
  }

  void ResetThenLinear(int64_t batch, const T* gates, const T* hidden_state) {
    const int64_t hidden = weights_.hidden;
    reset_state_.resize(batch * hidden);
    for (int64_t b = 0; b < batch; ++b) {
      const T* reset = gates + (b * kGates + 1) * hidden;
      for (int64_t i = 0; i < hidden; ++i) reset_state_[b * hidden + i] = reset[i] * hidden_state[b * hidden + i];
    }
    recurrent_h_.MultiplyAdd(batch, {reset_state_.data(), hidden}, candidate_.data(), hidden);
  }

  void Finish(const T* gates, T* candidate, T* h) {
    const int64_t hidden = weights_.hidden;
    for (int64_t i = 0; i < hidden; ++i) candidate[i] += gates[2 * hidden + i];
    ClipRow(weights_.clip, candidate, hidden);
    weights_.activations[1].Apply(candidate, hidden);
    for (int64_t i = 0; i < hidden; ++i) h[i] = (1 - gates[i]) * candidate[i] + gates[i] * h[i];
  }

  CellWeights<T> weights_;
  PackedMatrix<T> recurrent_zr_;
  PackedMatrix<T> recurrent_h_;
  std::vector<T> candidate_;
  std::vector<T> reset_state_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_RNN_CELLS_H_
