// See inspect_weights.h.
#include "tools/tern/inspect_weights.h"

#include "loaders/formats.h"
#include "loaders/keras/weights/list.h"
#include "loaders/load.h"
#include "loaders/torch/suggest/suggest.h"
#include "loaders/torch/weights_file.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

constexpr int64_t kBudget = int64_t(64) << 20;

struct Listing {
  std::string format;
  StateDict tensors;
  std::vector<torch::WeightsFile::Candidate> candidates;
  std::vector<std::string> never_executed;
};

int64_t bytes_of(const StoredTensor& t) { return element_count(t).value_or(0) * t.element_size; }

Result<std::vector<uint32_t>> checksums(const StateDict& tensors) {
  std::vector<uint32_t> out;
  for (const auto& e : tensors.entries) {
    if (!e.tensor.refusal.empty()) {
      out.push_back(0);
      continue;
    }
    auto crc = checksum(e.tensor, kBudget);
    if (!crc) return crc.error().within(e.name);
    out.push_back(*crc);
  }
  return out;
}

Text json_text(const Listing& file, const std::vector<uint32_t>& crcs) {
  const StateDict& tensors = file.tensors;
  int64_t parameters = 0, bytes = 0;
  Json j;
  j.object().key("format").value(file.format).key("producer").value("").key("opset").value(0);
  write_metadata(j, tensors.metadata);
  for (const char* nothing : {"inputs", "outputs", "layers"}) j.key(nothing).array().end();
  j.key("tensors").array();
  for (size_t i = 0; i < tensors.entries.size(); ++i) {
    const auto& [name, t] = tensors.entries[i];
    parameters += element_count(t).value_or(0);
    bytes += bytes_of(t);
    j.object().key("name").value(name).key("dtype").value(t.dtype_name).key("shape").array();
    for (int64_t d : t.sizes) j.value(d);
    j.end().key("bytes").value(bytes_of(t));
    if (!crcs.empty()) j.key("crc32").value(static_cast<int64_t>(crcs[i]));
    j.end();
  }
  j.end().key("candidates").array();
  for (const auto& c : file.candidates) j.object().key("key").value(c.path).key("tensors").value(c.tensors).end();
  j.end().key("never_executed").array();
  for (const std::string& name : file.never_executed) j.value(name);
  j.end()
      .key("totals")
      .object()
      .key("parameters")
      .value(parameters)
      .key("macs")
      .null()
      .key("weight_bytes")
      .value(bytes)
      .key("arena_bytes")
      .null()
      .end();
  return j.end().text();
}

void print_text(const Listing& file, const std::vector<uint32_t>& crcs) {
  const StateDict& tensors = file.tensors;
  out("format    " + shown(file.format) + "\n");
  out(metadata_text(tensors.metadata));
  for (const std::string& name : file.never_executed) out("global    " + shown(name) + ", never executed\n");
  const auto& candidates = file.candidates;
  for (const auto& c : candidates) {
    if (candidates.size() > 1) out("weights   --key " + (c.path.empty() ? Text("''") : shown(c.path)) + " (" + shown(c.tensors) + " tensors)\n");
  }
  std::vector<std::vector<Text>> rows = {{"tensor", "dtype", "shape", "bytes"}};
  if (!crcs.empty()) rows[0].push_back("crc32");
  int64_t parameters = 0, bytes = 0;
  for (size_t i = 0; i < tensors.entries.size(); ++i) {
    const auto& [name, t] = tensors.entries[i];
    parameters += element_count(t).value_or(0);
    bytes += bytes_of(t);
    rows.push_back(
        {shown(name), shown(t.dtype_name + (t.refusal.empty() ? "" : ", " + t.refusal)), shown(shape_text(t.sizes)), grouped(bytes_of(t))});
    char crc[16];
    std::snprintf(crc, sizeof crc, "%08x", crcs.empty() ? 0 : crcs[i]);
    if (!crcs.empty()) rows.back().push_back(shown(crc));
  }
  out("\n" + table(rows, 0b1000));
  out("\ntensors       " + grouped(static_cast<int64_t>(tensors.entries.size())) + "\nelements      " + grouped(parameters) + "\nbytes         " +
      grouped(bytes) + "\n");
}

// Below the listing: what is needed to run it.
void print_advice(const torch::WeightsFile& file, const std::string& key, const Error& error) {
  if (auto tree = file.module(key); tree && *tree) {
    out("\n" + shown_lines(torch::print(**tree)) + "\n\nThis whole module does not run by itself: " + shown(in_options(error.message())) + "\n");
    return;
  }
  const torch::Advice advice = torch::advice_for_weights();
  out("\n" + shown(advice.what) + "\n" + shown(in_options(advice.how)) + "\n");
}

// The listing as the options ask for it; `advise` prints what is needed to run the file.
template <class Advise>
int print(const Listing& listing, const Options& options, const std::string& path, Advise advise) {
  std::vector<uint32_t> crcs;
  if (options.has("--checksum")) {
    auto made = checksums(listing.tensors);
    if (!made) return fail_at("cannot load", made.error().within(path));
    crcs = std::move(*made);
  }
  if (options.has("--json")) {
    out(json_text(listing, crcs));
    return kDone;
  }
  print_text(listing, crcs);
  if (!options.has("--checksum")) advise();
  return kDone;
}

int suggest(const torch::WeightsFile& file, const std::string& path, const std::string& key) {
  auto tree = file.module(key);
  if (!tree) return fail_at("cannot suggest", tree.error().within(path));
  if (*tree) {
    out(shown_lines(torch::suggest_architecture(**tree, path)));
    return kDone;
  }
  auto weights = file.select(key);
  if (!weights) return fail_at("cannot suggest", weights.error().within(path));
  auto text = torch::suggest_architecture(*weights, path);
  if (!text) return fail_at("cannot suggest", text.error().within(path));
  out(shown_lines(*text));
  return kDone;
}

}  // namespace

std::optional<int> inspect_weights(const Options& options) {
  if (options.has("--arch")) return std::nullopt;
  const std::string& path = options.positional[0];
  auto source = open_model(path, {options.has("--map"), options.has("--follow-links")});
  if (!source) return std::nullopt;  // loading says why
  const Content content(*source);
  if (const Format* format = format_of(content); format != nullptr && !format->remedy.empty()) return std::nullopt;
  auto with = load_options(options);
  auto hdf5 = keras::list_weights(content, with ? *with : LoadOptions());
  if (!hdf5) return std::nullopt;  // damaged
  if (*hdf5 && !options.has("--suggest-arch")) {
    const Listing listing{(*hdf5)->format, std::move((*hdf5)->tensors), {}, {}};
    return print(listing, options, path, [&] {
      auto graph = with ? load_graph(content, *with) : with.error();
      if (!graph) out("\n" + shown(in_options(graph.error().message())) + "\n");
    });
  }
  if (!torch::WeightsFile::recognises(content)) {
    return options.has("--suggest-arch") ? std::optional(fail_at("cannot suggest", usage(path + ": it is no file of weights"))) : std::nullopt;
  }
  auto file = torch::WeightsFile::open(content);
  if (!file) return std::nullopt;  // a .pt2 archive, or damaged
  if (options.has("--suggest-arch")) return suggest(*file, path, options.get("--key"));
  Error error;
  if (!options.has("--checksum")) {
    auto graph = with ? load_graph(content, *with) : with.error();
    if (graph) return std::nullopt;  // a whole module that is a graph too
    error = graph.error();
  }
  auto tensors = file->list();
  if (!tensors) return fail_at("cannot load", tensors.error().within(path));
  const Listing listing{file->format(), std::move(*tensors), file->candidates(), file->never_executed()};
  return print(listing, options, path, [&] { print_advice(*file, options.get("--key"), error); });
}

}  // namespace tern::command
