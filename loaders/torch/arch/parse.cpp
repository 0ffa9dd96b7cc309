// See parse.h. Next: tree.cpp, parse_function.cpp.
#include "loaders/torch/arch/parse.h"

#include "loaders/torch/arch/parse_function.h"
#include "loaders/torch/arch/tree.h"
#include "loaders/torch/nn/layers.h"

namespace tern::torch {
namespace {

constexpr size_t kMostText = size_t(16) << 20;
constexpr size_t kMostExpressions = 100000;

// The length of the UTF-8 sequence at i; 0: there is none.
size_t sequence_length(std::string_view s, size_t i) {
  const auto c = static_cast<unsigned char>(s[i]);
  const size_t n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
  if (n == 0 || i + n > s.size()) return 0;
  for (size_t k = 1; k < n; ++k) {
    if ((static_cast<unsigned char>(s[i + k]) & 0xC0) != 0x80) return 0;
  }
  return n;
}

Status check_text(const SourceText& source) {
  const std::string_view text = source.text;
  if (text.size() > kMostText) return invalid(source.file + ": an architecture of more than 16 MB");
  for (size_t i = 0; i < text.size();) {
    const size_t n = sequence_length(text, i);
    if (n == 0) return at(source, source.place_of(i), "the text is not UTF-8");
    if (text[i] == '\0') return at(source, source.place_of(i), "a zero byte has no place in a text");
    i += n;
  }
  return {};
}

bool starts_with_word(std::string_view line, std::string_view word) {
  return line.starts_with(word) && (line.size() == word.size() || line[word.size()] == ' ' || line[word.size()] == '\t');
}

// Does a line begin with CLASS( ?
bool begins_tree(std::string_view line) {
  size_t i = 0;
  while (i < line.size() &&
         (std::isalnum(static_cast<unsigned char>(line[i])) || line[i] == '_' || line[i] == '.' || static_cast<unsigned char>(line[i]) >= 0x80))
    ++i;
  return i > 0 && i < line.size() && line[i] == '(' && !std::isdigit(static_cast<unsigned char>(line[0])) && line[0] != '.';
}

// A line of the session around a print: print(model), model.
bool is_prompt(std::string_view line) {
  if (line.starts_with("print(")) return true;
  for (char c : line) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  }
  return !line.empty() && line != "return" && line != "pass";
}

// DataParallel(, DistributedDataParallel( and OptimizedModule( around the model are taken off.
std::shared_ptr<Module> unwrapped(std::shared_ptr<Module> root) {
  for (int i = 0; i < 4; ++i) {
    const char* inner = root->cls == "DataParallel" || root->cls == "DistributedDataParallel" ? "module"
                        : root->cls == "OptimizedModule"                                      ? "_orig_mod"
                                                                                              : nullptr;
    if (inner == nullptr || root->children.size() != 1 || root->children[0].first != inner) break;
    root = root->children[0].second;
  }
  return root;
}

// A class without a forward has that of the next class of the file among those that it extends, unless a layer of torch.nn comes before.
void inherit(Program& program) {
  std::vector<std::pair<std::string, std::shared_ptr<const Function>>> inherited;
  for (const auto& [cls, bases] : program.bases) {
    if (program.functions.contains(cls)) continue;
    for (const std::string& base : program.ancestors(cls)) {
      Module layer;
      layer.cls = base;
      if (auto known = program.functions.find(base); known != program.functions.end()) inherited.emplace_back(cls, known->second);
      else if (program.scopes.contains(base) || find_layer(layer) == nullptr) continue;
      break;
    }
  }
  for (auto& [cls, forward] : inherited) program.functions.emplace(cls, std::move(forward));
}

void collect_children(const Module& m, std::set<const Module*>& seen, Program& program) {  // at most kMaxModuleDepth deep
  if (!seen.insert(&m).second) return;
  for (const auto& [name, child] : m.children) {
    if (program.functions.contains(m.cls)) program.children[m.cls].insert(name);
    collect_children(*child, seen, program);
  }
}

}  // namespace

Result<Architecture> parse_architecture(std::string_view text, const std::string& file) {
  if (text.size() > kMostText) return invalid(file + ": an architecture of more than 16 MB");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto source = std::make_shared<const SourceText>(file, text);
  if (Status s = check_text(*source); !s) return s.error();
  Architecture out;
  out.program = std::make_shared<Program>();
  out.program->file = file;
  size_t room = kMostExpressions;
  const std::string_view all = source->text;
  for (size_t begin = 0; begin < all.size();) {
    const size_t line_end = std::min(all.find('\n', begin), all.size());
    size_t first = begin;
    while (first < line_end && (all[first] == ' ' || all[first] == '\t' || all[first] == '\r' || all[first] == '\f')) ++first;
    size_t last = line_end;
    while (last > first && (all[last - 1] == ' ' || all[last - 1] == '\t' || all[last - 1] == '\r')) --last;
    const std::string_view line = all.substr(first, last - first);
    if (line.empty() || line[0] == '#') {
      begin = line_end + 1;
      continue;
    }
    if (starts_with_word(line, "import") || starts_with_word(line, "from")) {
      return at(*source, source->place_of(first), "import is not allowed here; F, nn, torch and math are known");
    }
    if (starts_with_word(line, "class") || starts_with_word(line, "def") || line[0] == '@') {
      Parser parser(source, begin, room);
      size_t after = first;  // past the decorators
      while (after < all.size() && all[after] == '@') {
        after = std::min(all.find('\n', after), all.size());
        after = std::min(all.find_first_not_of(" \t\r\n", after), all.size());
      }
      const bool is_class = starts_with_word(all.substr(after, 6), "class");
      if (Status s = is_class ? parser.read_class(*out.program) : parser.read_function(*out.program); !s) return s.error();
      const size_t next = parser.offset();
      begin = next;
      while (begin > 0 && (all[begin - 1] == ' ' || all[begin - 1] == '\t')) --begin;
      continue;
    }
    if (line.starts_with(">>>") || (!out.root && is_prompt(line))) {
      begin = line_end + 1;
      continue;
    }
    if (!out.root && begins_tree(line)) {
      size_t offset = first;
      auto root = read_tree(*source, offset);
      if (!root) return root.error();
      out.root = unwrapped(std::move(*root));
      const size_t rest = all.find_first_not_of(" \t\r", offset);
      if (rest != all.npos && all[rest] != '\n' && all[rest] != '#')
        return at(*source, source->place_of(rest), "expected the end of the line after the module tree");
      begin = std::min(all.find('\n', offset), all.size() - 1) + 1;
      continue;
    }
    if (out.program->functions.contains(""))
      return at(*source, source->place_of(first), "this belongs to no forward: a second tree, or a line outside of a def");
    Parser parser(source, begin, room);
    if (Status s = parser.read_body(*out.program); !s) return s.error();
    begin = parser.offset();
    while (begin > 0 && (all[begin - 1] == ' ' || all[begin - 1] == '\t')) --begin;
  }
  inherit(*out.program);
  if (!out.root && out.program->functions.empty()) {
    return invalid((file.empty() ? "architecture" : file) +
                   ": no module tree and no forward; give what print(model) prints, and a def forward when the model is more than a chain");
  }
  if (!out.root) return out;
  out.program->tell_layers(*out.root);
  out.program->set_root(out.root->cls);
  std::set<const Module*> seen;
  collect_children(*out.root, seen, *out.program);
  return out;
}

}  // namespace tern::torch
