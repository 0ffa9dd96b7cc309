// The command: ptxsim FILE.ptx --kernel NAME --grid 4,1,1 --block 128 --arg ...
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "runtime/base/printable.h"
#include "tools/ptxsim/arguments.h"
#include "tools/ptxsim/text.h"

namespace {

using namespace ptxsim;

constexpr const char* kHelp = R"(ptxsim FILE.ptx --kernel NAME --grid X[,Y,Z] --block X[,Y,Z] [options]
ptxsim FILE.ptx --list       the kernels and their parameters
ptxsim FILE.ptx --check      what ptxsim cannot run, a line each
  Make FILE.ptx with: nvcc -ptx -lineinfo -arch=compute_80 FILE.cu

  --shared BYTES             dynamic shared memory
  --arg TYPE:VALUE           a parameter: i8 u8 i16 u16 i32 u32 i64 u64 f16 f32 f64
  --arg buffer:1024f32=WHAT  a pointer to device memory; WHAT: zeros iota random uninit, a number, or a file .npy
  --print N                  the first N elements of every buffer, after the launch
  --async issue|wait|both    when cp.async copies (both: the launch runs twice)
  --order ascending|descending|shuffled   of warps;  --seed N
  --max-instructions N       of threads; more is a hang
  --max-findings N           places (16)
  --no-diagnose              only bounds, barriers and absent lanes
  --counters  --taint  --json

Exit status: 0 clean, 1 findings, 2 usage, 3 a bad file, 4 an instruction that is not supported.
)";

struct Command {
  std::string file, kernel;
  Dim3 grid, block;
  uint32_t shared = 0;
  uint64_t print = 0;
  std::vector<Argument> arguments;
  bool list = false, check = false, counters = false, json = false, both = false;
  Options options;
};

bool number(std::string_view text, uint64_t* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool dimensions(std::string_view text, Dim3* out) {
  uint32_t* const parts[] = {&out->x, &out->y, &out->z};
  for (uint32_t* part : parts) {
    const size_t comma = text.find(',');
    uint64_t n = 0;
    if (!number(text.substr(0, comma), &n) || n > 0x7fffffff) return false;
    *part = uint32_t(n);
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
  return false;
}

Result<Command> parse(int argc, char** argv) {
  Command c;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option.substr(0, 2) != "--") {
      if (!c.file.empty()) return tern::usage("two files: " + c.file + " and " + tern::printable(option, 80));
      c.file = option;
      continue;
    }
    const auto flag = [&](const char* name, bool* to) { return option == name && (*to = true); };
    bool no_diagnose = false;
    if (flag("--list", &c.list) || flag("--check", &c.check) || flag("--counters", &c.counters) || flag("--json", &c.json) ||
        flag("--taint", &c.options.taint))
      continue;
    if (flag("--no-diagnose", &no_diagnose)) {
      c.options.diagnose = false;
      continue;
    }
    if (i + 1 >= argc) return tern::usage(std::string(option) + ": unknown, or its value is missing; see --help");
    const std::string_view value = argv[++i];
    uint64_t n = 0;
    bool ok = true;
    if (option == "--kernel") {
      c.kernel = value;
    } else if (option == "--grid") {
      ok = dimensions(value, &c.grid);
    } else if (option == "--block") {
      ok = dimensions(value, &c.block);
    } else if (option == "--shared") {
      ok = number(value, &n) && n < (1u << 30), c.shared = uint32_t(n);
    } else if (option == "--print") {
      ok = number(value, &c.print);
    } else if (option == "--seed") {
      ok = number(value, &c.options.seed);
    } else if (option == "--max-instructions") {
      ok = number(value, &n) && n > 0 && n < (uint64_t(1) << 62), c.options.max_instructions = int64_t(n);
    } else if (option == "--max-findings") {
      ok = number(value, &n) && n > 0 && n < 1'000'000, c.options.max_findings = int(n);
    } else if (option == "--async") {
      ok = value == "issue" || value == "wait" || value == "both";
      c.options.async = value == "wait" ? AsyncMode::at_wait : AsyncMode::at_issue;
      c.both = value == "both";
    } else if (option == "--order") {
      ok = value == "ascending" || value == "descending" || value == "shuffled";
      c.options.order = value == "descending" ? Options::WarpOrder::descending
                        : value == "shuffled" ? Options::WarpOrder::shuffled
                                              : Options::WarpOrder::ascending;
    } else if (option == "--arg") {
      Result<Argument> a = parse_argument(value);
      if (!a) return a.error();
      c.arguments.push_back(std::move(*a));
    } else {
      return tern::usage(tern::printable(option, 80) + ": unknown; see --help");
    }
    if (!ok) return tern::usage(std::string(option) + ": '" + tern::printable(value, 80) + "' is no value for it");
  }
  if (c.file.empty()) return tern::usage("which file? see --help");
  if (!c.list && !c.check && c.kernel.empty()) return tern::usage("which kernel? name one with --kernel, or see them with --list");
  return c;
}

int list(const Module& module, bool check) {
  bool all = true;
  for (const std::string& name : module.kernels()) {
    const Result<KernelInfo> info = module.find(name);
    if (!info) continue;
    all = all && info->unsupported.empty();
    if (check) {
      std::printf("%s: %s\n", tern::printable(name).c_str(), info->unsupported.empty() ? "can be run" : "cannot be run");
      for (const std::string& line : info->unsupported) std::printf("  %s\n", line.c_str());
      continue;
    }
    std::printf("%s  shared %u, local %u%s\n", tern::printable(name).c_str(), info->static_shared, info->local_bytes,
                info->unsupported.empty() ? "" : ", cannot be run: see --check");
    for (const Parameter& p : info->parameters) std::printf("  %5u  %u bytes  %s\n", p.offset, p.size, tern::printable(p.name).c_str());
  }
  return check && !all ? 4 : 0;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : tern::printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void print_json(const LaunchResult& r) {
  std::printf("{\"completed\": %s, \"findings\": [", r.completed ? "true" : "false");
  for (size_t i = 0; i < r.findings.size(); ++i) {
    const Finding& f = r.findings[i];
    std::printf(
        "%s{\"kind\": %s, \"kernel\": %s, \"file\": %s, \"line\": %d, \"ptx_line\": %d, \"block\": [%u, %u, %u], \"thread\": [%u, %u, %u], "
        "\"times\": %lld, \"text\": %s}",
        i == 0 ? "" : ", ", quoted(name_of(f.kind)).c_str(), quoted(f.kernel).c_str(), quoted(f.file).c_str(), f.cu_line, f.ptx_line, f.block.x,
        f.block.y, f.block.z, f.thread.x, f.thread.y, f.thread.z, static_cast<long long>(f.times), quoted(f.text).c_str());
  }
  const Counters& c = r.counters;
  std::printf("], \"instructions\": %lld, \"warp_instructions\": %lld, \"fma_share\": %.4f, \"active_lane_ratio\": %.4f",
              static_cast<long long>(c.instructions), static_cast<long long>(c.warp_instructions), c.fma_share(), c.active_lane_ratio());
  for (size_t i = 0; i < size_t(InstructionClass::count); ++i)
    std::printf(", %s: %lld", quoted(name_of(InstructionClass(i))).c_str(), static_cast<long long>(c.by_class[i]));
  const std::pair<const char*, int64_t> rows[] = {{"global_loads", c.global_loads},
                                                  {"global_load_sectors", c.global_load_sectors},
                                                  {"global_load_bytes", c.global_load_bytes},
                                                  {"global_stores", c.global_stores},
                                                  {"global_store_sectors", c.global_store_sectors},
                                                  {"global_store_bytes", c.global_store_bytes},
                                                  {"shared_requests", c.shared_requests},
                                                  {"shared_wavefronts", c.shared_wavefronts},
                                                  {"barriers", c.barriers},
                                                  {"branches", c.branches},
                                                  {"divergent_branches", c.divergent_branches}};
  for (const auto& [name, value] : rows) std::printf(", \"%s\": %lld", name, static_cast<long long>(value));
  if (r.taint.ran)
    std::printf(", \"taint\": {\"clean\": %s, \"addresses\": %zu, \"decisions\": %zu}", r.taint.clean() ? "true" : "false", r.taint.addresses.size(),
                r.taint.decisions.size());
  std::printf("}\n");
}

Result<LaunchResult> launch(const Command& c, const Module& module, const KernelInfo& info, const Options& options, bool last) {
  Machine machine;
  std::vector<std::byte> params(info.parameter_bytes);
  std::vector<Argument> arguments = c.arguments;
  for (size_t i = 0; i < arguments.size(); ++i) {
    Argument& a = arguments[i];
    const Parameter& p = info.parameters[i];
    if (a.buffer) {
      Result<uint64_t> at = machine.allocate(a.count * element_bytes(a));
      if (!at) return at.error();
      a.address = *at;
      if (!a.bytes.empty()) {
        if (Status s = machine.write(*at, a.bytes.data(), a.bytes.size()); !s) return s.error();
      }
      std::memcpy(params.data() + p.offset, &*at, 8);
    } else {
      std::memcpy(params.data() + p.offset, a.bytes.data(), a.bytes.size());
    }
  }
  Result<LaunchResult> r = machine.launch(module, c.kernel, c.grid, c.block, c.shared, params, options);
  for (size_t i = 0; r.ok() && last && c.print > 0 && i < arguments.size(); ++i) {
    const Argument& a = arguments[i];
    if (!a.buffer) continue;
    std::vector<std::byte> data(std::min(c.print, a.count) * element_bytes(a));
    if (Status s = machine.read(data.data(), a.address, data.size()); !s) return s.error();
    std::fprintf(c.json ? stderr : stdout, "argument %zu:", i);
    for (size_t at = 0; at < data.size(); at += element_bytes(a))
      std::fprintf(c.json ? stderr : stdout, " %s", element_text(a, data.data() + at).c_str());
    std::fputc('\n', c.json ? stderr : stdout);
  }
  return r;
}

int fail(const Error& e) {
  std::fprintf(stderr, "ptxsim: %s\n", tern::printable(e.message(), 4000, '\n').c_str());
  return int(e.code());
}

int run(const Command& c) {
  std::ifstream in(c.file, std::ios::binary);
  if (!in) return fail(tern::invalid(tern::printable(c.file, 200) + ": cannot be read"));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  Result<Module> module = Module::parse(text, c.file);
  if (!module) return fail(module.error());
  if (c.list || c.check) return list(*module, c.check);
  Result<KernelInfo> info = module->find(c.kernel);
  if (!info) return fail(info.error());
  if (c.arguments.size() != info->parameters.size()) {
    return fail(tern::usage(std::to_string(c.arguments.size()) + " arguments, and the kernel has " + std::to_string(info->parameters.size()) +
                            " parameters: see --list"));
  }
  for (size_t i = 0; i < c.arguments.size(); ++i) {
    const size_t bytes = c.arguments[i].buffer ? 8 : c.arguments[i].bytes.size();
    if (bytes != info->parameters[i].size) {
      return fail(tern::usage("argument " + std::to_string(i) + " has " + std::to_string(bytes) + " bytes, and the parameter " +
                              std::to_string(info->parameters[i].size)));
    }
  }
  bool clean = true;
  for (int pass = 0; pass < (c.both ? 2 : 1); ++pass) {
    Options options = c.options;
    if (c.both) options.async = pass == 0 ? AsyncMode::at_issue : AsyncMode::at_wait;
    const Result<LaunchResult> r = launch(c, *module, *info, options, !c.both || pass == 1);
    if (!r) return fail(r.error());
    clean = clean && r->findings.empty() && r->completed;
    if (c.json) {
      print_json(*r);
      continue;
    }
    for (const Finding& f : r->findings) std::printf("%s\n", tern::printable(f.to_text()).c_str());
    if (c.counters) std::printf("%s", r->counters.to_text().c_str());
    if (c.options.taint) std::printf("%s", r->taint.to_text().c_str());
  }
  return clean ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
  }
  Result<Command> command = parse(argc, argv);
  if (!command) return fail(command.error());
  return run(*command);
}
