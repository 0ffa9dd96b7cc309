// What tests of ptxsim share: a machine with vectors on it, and launches in every mode.
#pragma once
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tools/ptxsim/ptxsim.h"

namespace ptxsim_test {

using namespace ptxsim;

std::string read_file(const std::string& path);
// The PTX that the build made of tests/ptxsim/cuda/STEM.cu; empty where there is no nvcc.
std::string compiled(const std::string& stem, int arch);
constexpr int kArchs[] = {75, 80, 90, 120};
// Every legal schedule that is tried: both moments of cp.async, three orders of warps.
std::vector<Options> schedules();

// Parameters, one after the other, each aligned to its size.
class Params {
 public:
  template <class T>
  Params& add(const T& value, size_t align = alignof(T)) {
    bytes_.resize((bytes_.size() + align - 1) / align * align);
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
    return *this;
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class Device {
 public:
  explicit Device(const std::string& ptx) : module_(parse(ptx)) {}
  template <class T>
  uint64_t put(const std::vector<T>& v) {
    const uint64_t at = room<T>(v.size());
    CHECK(machine_.write(at, v.data(), v.size() * sizeof(T)).ok());
    return at;
  }
  template <class T>
  uint64_t room(size_t count) {  // uninitialised
    Result<uint64_t> at = machine_.allocate(count * sizeof(T));
    REQUIRE(at.ok());
    return *at;
  }
  template <class T>
  std::vector<T> get(uint64_t at, size_t count) {
    std::vector<T> v(count);
    CHECK(machine_.read(v.data(), at, count * sizeof(T)).ok());
    return v;
  }
  // Launches, and fails the test when the launch is refused.
  LaunchResult launch(std::string_view kernel, Dim3 grid, Dim3 block, const Params&, const Options& = {}, uint32_t shared = 0);
  // The same, and there must be no finding.
  LaunchResult clean(std::string_view kernel, Dim3 grid, Dim3 block, const Params&, const Options& = {}, uint32_t shared = 0);
  std::string named(std::string_view part) const;  // the one kernel whose name holds it
  Machine& machine() { return machine_; }
  const Module& module() const { return module_; }

 private:
  static Module parse(const std::string& ptx);
  Module module_;
  Machine machine_;
};

// Of cuda/STEM.cu: the body on each of these architectures, in every schedule; and that ptxsim knows every instruction of every kernel. Nothing where
// there is no nvcc.
void on_every_arch(const std::string& stem, std::span<const int> archs, const std::function<void(Device&, const Options&)>& body);
void check_known(const std::string& stem, std::span<const int> archs);

}  // namespace ptxsim_test
