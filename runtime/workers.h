// Workers: the extra threads of a session with threads > 1. They spin between runs, so that run() wakes nobody and calls no system.
// Every step is followed by a barrier. Next: session.cpp.
#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "kernels/op.h"
#include "tern/status.h"

namespace tern {

class Workers {
 public:
  // lists[t] are the steps of thread t, all equally long; thread 0 is the caller's. Worker t is pinned to cpus[t - 1] when given.
  static Result<std::unique_ptr<Workers>> start(std::span<const std::vector<Step>> lists, std::span<const int> cpus);
  ~Workers();
  void run() noexcept;  // on the caller's thread; returns when every thread has finished

 private:
  explicit Workers(std::span<const std::vector<Step>> lists) : lists_(lists) {}
  void work(size_t thread) noexcept;
  void execute(const std::vector<Step>& steps) noexcept;
  void barrier() noexcept;

  const std::span<const std::vector<Step>> lists_;
  std::vector<std::thread> threads_;
  alignas(64) std::atomic<uint64_t> round_{0};
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<uint64_t> phase_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace tern
