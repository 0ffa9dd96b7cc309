// sass_census [--expect FILE] CUBIN...: a table of what ptxas made of every kernel, and whether it is what the kernels claim. See sass.h.
//   FILE: lines of `kernel: claim, claim`, # begins a comment. A claim: NAME >= N or NAME <= N of the counts (FFMA, LDG.128, HMMA …), of registers,
//   ffma_share (percent), occupancy (percent, without dynamic shared memory). Holds for every card. No kernel may use local memory or a stack.
// Exit: 0, 1 a claim does not hold, 2 usage, 3 a file that cannot be read.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tools/sass/sass.h"

namespace {

struct Claim {
  std::string what;
  bool at_least = true;
  double limit = 0;
};

std::string trimmed(const std::string& s) {
  const size_t begin = s.find_first_not_of(" \t"), end = s.find_last_not_of(" \t\r");
  return begin == std::string::npos ? "" : s.substr(begin, end - begin + 1);
}

bool read_claims(const char* path, std::map<std::string, std::vector<Claim>>& claims) {
  std::ifstream file(path);
  if (!file) return std::fprintf(stderr, "sass_census: cannot read %s\n", path), false;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    std::stringstream rest(colon == std::string::npos ? "" : line.substr(colon + 1));
    int found = 0;
    for (std::string text; std::getline(rest, text, ',');) {
      std::istringstream words(text);
      Claim c;
      std::string relation;
      if (!(words >> c.what >> relation >> c.limit) || (relation != ">=" && relation != "<=")) {
        return std::fprintf(stderr, "sass_census: %s:%d: not a claim: %s\n", path, number, text.c_str()), false;
      }
      c.at_least = relation == ">=";
      claims[trimmed(line.substr(0, colon))].push_back(c);
      ++found;
    }
    if (found == 0) return std::fprintf(stderr, "sass_census: %s:%d: wants kernel: claim, claim\n", path, number), false;
  }
  return true;
}

double value_of(const Claim& c, const sass::KernelCode& k, int sm) {
  if (c.what == "registers") return k.registers;
  if (c.what == "ffma_share") return 100 * k.ffma_share;
  if (c.what == "occupancy") return 100 * sass::occupancy(sm, k, k.max_threads, 0);
  return static_cast<double>(k.count(c.what));
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::vector<Claim>> claims;
  std::set<std::string> met;
  int wrong = 0, files = 0;
  std::printf("%-40s %4s %5s %7s %6s %6s %6s %7s %7s %6s %5s\n", "kernel", "sm", "regs", "shared", "instrs", "FFMA", "FFMA%", "LDG.128", "LDS.128",
              "HMMA", "occ.");
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--expect") == 0 && i + 1 < argc) {
      if (!read_claims(argv[++i], claims)) return 3;
      continue;
    }
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) return std::fprintf(stderr, "sass_census: cannot read %s\n", argv[i]), 3;
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    auto cubin = sass::read_cubin(std::as_bytes(std::span(bytes)));
    if (!cubin) return std::fprintf(stderr, "sass_census: %s: %s\n", argv[i], cubin.error().message().c_str()), 3;
    ++files;
    for (const sass::KernelCode& k : cubin->kernels) {
      const double occupancy = sass::occupancy(cubin->sm, k, k.max_threads, 0);
      std::printf("%-40s %4d %5d %7lld %6lld %6lld %5.0f%% %7lld %7lld %6lld ", k.name.c_str(), cubin->sm, k.registers,
                  static_cast<long long>(k.shared_bytes), static_cast<long long>(k.instructions), static_cast<long long>(k.count("FFMA")),
                  100 * k.ffma_share, static_cast<long long>(k.count("LDG.128")), static_cast<long long>(k.count("LDS.128")),
                  static_cast<long long>(k.count("HMMA")));
      if (k.max_threads > 0) std::printf("%4.0f%%\n", 100 * occupancy);
      else std::printf("   ?\n");
      auto complain = [&](const std::string& text) {
        std::fprintf(stderr, "sass_census: %s on sm_%d: %s\n", k.name.c_str(), cubin->sm, text.c_str());
        ++wrong;
      };
      if (k.count("LDL") + k.count("STL") > 0 || k.stack_bytes > 0) complain("it uses local memory");
      met.insert(k.name);
      const auto at = claims.find(k.name);
      if (at == claims.end()) continue;
      for (const Claim& c : at->second) {
        const double value = value_of(c, k, cubin->sm);
        if (c.at_least ? value >= c.limit : value <= c.limit) continue;
        std::ostringstream text;
        text << c.what << " is " << value << ", and should be " << (c.at_least ? "at least " : "at most ") << c.limit;
        complain(text.str());
      }
    }
  }
  for (const auto& [name, all] : claims) {
    if (met.count(name) == 0) std::fprintf(stderr, "sass_census: %s: no cubin has this kernel\n", name.c_str()), ++wrong;
  }
  if (files == 0) return std::fprintf(stderr, "usage: sass_census [--expect FILE] CUBIN...\n"), 2;
  return wrong == 0 ? 0 : 1;
}
