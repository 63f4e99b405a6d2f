// CapturedExchange: a request and its answer, kept for the shadow by the slices they came and went in. Nothing is
// copied but what was in shared memory.
#ifndef TANDEM_SERVER_RPC_CAPTURED_EXCHANGE_H_
#define TANDEM_SERVER_RPC_CAPTURED_EXCHANGE_H_

#include <grpcpp/grpcpp.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/rpc/binding.h"
#include "server/shadow/job.h"

namespace tandem::rpc {

class CapturedExchange final : public shadow::Exchange {
 public:
  // `blocks` are those of `request`, which `binding` is about; none of its inputs is in shared memory. The values of
  // output k are elsewhere[k], or where that is empty begin at offsets[k] of `answer`.
  CapturedExchange(std::vector<grpc::Slice> request, std::vector<absl::string_view> blocks, Binding binding,
                   grpc::Slice answer, std::vector<size_t> offsets, std::vector<std::string> elsewhere)
      : request_(std::move(request)),
        blocks_(std::move(blocks)),
        binding_(std::move(binding)),
        answer_(std::move(answer)),
        offsets_(std::move(offsets)),
        elsewhere_(std::move(elsewhere)) {}

  void Gather(int i, size_t offset, size_t size, void* destination) const override {
    CopyInput(blocks_, binding_.inputs[static_cast<size_t>(i)], offset, size, static_cast<char*>(destination));
  }
  const char* Answer(size_t k) const override {
    if (!elsewhere_[k].empty()) return elsewhere_[k].data();
    return reinterpret_cast<const char*>(answer_.begin()) + offsets_[k];
  }

 private:
  const std::vector<grpc::Slice> request_;
  const std::vector<absl::string_view> blocks_;
  const Binding binding_;
  const grpc::Slice answer_;
  const std::vector<size_t> offsets_;
  const std::vector<std::string> elsewhere_;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_CAPTURED_EXCHANGE_H_
