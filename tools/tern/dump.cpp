// tern dump: the graph as text after a pass, or a session's plan. See command.h.
#include "loaders/load.h"
#include "runtime/optimize.h"
#include "tools/tern/arrays.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

constexpr std::pair<const char*, Stage> kStages[] = {{"load", Stage::load}, {"infer", Stage::infer}, {"fold", Stage::fold}, {"fuse", Stage::fuse}};

Result<std::string> text_after(const std::string& path, const std::string& after, const LoadOptions& options, const SessionOptions& session) {
  if (after == "plan") {
    auto model = load(path, options);
    if (!model) return model.error();
    SessionOptions with = session;
    default_dims(*model, with.dims, true);
    auto s = model->session(with);
    if (!s) return s.error().within(path);
    return s->text();
  }
  for (const auto& [stage_name, stage] : kStages) {
    if (after != stage_name) continue;
    auto source = map_file(path);
    if (!source) return source.error();
    auto graph = load_graph(*source, options);
    if (!graph) return graph.error().within(path);
    if (!session.dims.empty()) graph = bind_dims(*graph, session.dims);
    if (!graph) return graph.error().within(path);
    if (Status s = optimize(*graph, options.budget, stage); !s) return s.error().within(path);
    return to_text(*graph);
  }
  return usage("--after " + after + ": expected load, infer, fold, fuse or plan");
}

}  // namespace

int dump(const Options& options) {
  auto session = session_options(options);
  if (!session) return fail("wrong usage", session.error());
  const std::string after = options.get("--after", "fuse");
  auto with = load_options(options);
  if (!with) return fail_at("cannot read", with.error());
  auto text = text_after(options.positional[0], after, *with, *session);
  if (!text) return fail_at("cannot dump", text.error());
  if (!options.has("--json")) {
    out(*text);
    return kDone;
  }
  Json j;
  j.object().key("model").value(options.positional[0]).key("after").value(after).key("lines").array();
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    j.value(text->substr(at, end - at));
    at = end + 1;
  }
  out(j.end().end().text());
  return kDone;
}

}  // namespace tern::command
