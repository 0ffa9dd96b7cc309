#include "tests/support/ptxsim_device.h"

#include <fstream>
#include <iterator>

namespace ptxsim_test {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

std::string compiled(const std::string& stem, int arch) {
#ifdef PTXSIM_COMPILED
  return read_file(std::string(PTXSIM_COMPILED) + "/" + stem + "." + std::to_string(arch) + ".ptx");
#else
  (void)stem, (void)arch;
  return "";
#endif
}

std::vector<Options> schedules() {
  std::vector<Options> all;
  for (const AsyncMode async : {AsyncMode::at_issue, AsyncMode::at_wait}) {
    for (const Options::WarpOrder order : {Options::WarpOrder::ascending, Options::WarpOrder::descending, Options::WarpOrder::shuffled}) {
      Options o;
      o.async = async;
      o.order = order;
      o.seed = 7;
      o.max_instructions = 20'000'000;
      all.push_back(o);
    }
  }
  return all;
}

Module Device::parse(const std::string& ptx) {
  Result<Module> m = Module::parse(ptx, "test.ptx");
  INFO(m.error().message());
  REQUIRE(m.ok());
  return *m;
}

LaunchResult Device::launch(std::string_view kernel, Dim3 grid, Dim3 block, const Params& params, const Options& options, uint32_t shared) {
  Result<LaunchResult> r = machine_.launch(module_, kernel, grid, block, shared, params.bytes(), options);
  INFO(r.error().message());
  REQUIRE(r.ok());
  return *r;
}

LaunchResult Device::clean(std::string_view kernel, Dim3 grid, Dim3 block, const Params& params, const Options& options, uint32_t shared) {
  LaunchResult r = launch(kernel, grid, block, params, options, shared);
  for (const Finding& f : r.findings) FAIL_CHECK(f.to_text());
  CHECK(r.completed);
  return r;
}

std::string Device::named(std::string_view part) const {
  std::string found;
  for (const std::string& name : module_.kernels()) {
    if (name.find(part) == std::string::npos) continue;
    REQUIRE_MESSAGE(found.empty(), part << " is in two names");
    found = name;
  }
  REQUIRE_MESSAGE(!found.empty(), "no kernel's name holds " << part);
  return found;
}

void on_every_arch(const std::string& stem, std::span<const int> archs, const std::function<void(Device&, const Options&)>& body) {
  for (const int arch : archs) {
    const std::string ptx = compiled(stem, arch);
    if (ptx.empty()) {
      MESSAGE("skipped: no nvcc");
      return;
    }
    for (const Options& options : schedules()) {
      CAPTURE(arch);
      CAPTURE(int(options.order));
      CAPTURE(int(options.async));
      Device device(ptx);
      body(device, options);
    }
  }
}

void check_known(const std::string& stem, std::span<const int> archs) {
  for (const int arch : archs) {
    const std::string ptx = compiled(stem, arch);
    if (ptx.empty()) return;
    Device device(ptx);
    for (const std::string& name : device.module().kernels()) {
      const KernelInfo info = *device.module().find(name);
      for (const std::string& line : info.unsupported) FAIL_CHECK(name << ": " << line);
    }
  }
}

}  // namespace ptxsim_test
