// tern dump: the graph as text after a pass, or a session's plan. See command.h.
#include "loaders/formats.h"
#include "loaders/load.h"
#include "runtime/model.h"
#include "runtime/optimize.h"
#include "tools/tern/arrays.h"
#include "tools/tern/print.h"

namespace tern::command {
namespace {

constexpr std::pair<const char*, Stage> kStages[] = {{"load", Stage::load},           {"infer", Stage::infer}, {"fold", Stage::fold},
                                                     {"transpose", Stage::transpose}, {"fuse", Stage::fuse},   {"narrow", Stage::narrow}};

Result<std::string> text_after(const Options& given, const std::string& after, const SessionOptions& session) {
  const std::string& path = given.positional[0];
  if (after == "plan") {
    auto model = load_model(given);
    if (!model) return model.error();
    SessionOptions with = session;
    default_dims(*model, with.dims, true);
    if (with.device.starts_with("ptxsim")) with.device.replace(0, 6, "cuda");  // the same plan
    auto text = session_text(*model, with);
    if (!text) return text.error().within(path);
    return *text;
  }
  for (const auto& [stage_name, stage] : kStages) {
    if (after != stage_name) continue;
    auto options = load_options(given);
    if (!options) return options.error();
    auto source = open_model(path, file_options(*options));
    if (!source) return source.error();
    auto graph = load_graph(*source, *options);
    if (!graph) return graph.error().within(path);
    std::vector<Port> ports;
    for (ValueId v : graph->inputs) ports.push_back({graph->value(v).name, graph->value(v).type.dtype, {}});
    if (Status s = check_input_names(ports, given); !s) return s.error();
    for (const std::string& text : graph->notes) note(text);
    if (!session.dims.empty()) graph = bind_dims(*graph, session.dims);
    if (!graph) return graph.error().within(path);
    if (Status s = optimize(*graph, options->budget, stage); !s) return s.error().within(path);
    return to_text(*graph);
  }
  return usage("--after " + after + ": expected load, infer, fold, transpose, fuse, narrow or plan");
}

}  // namespace

int dump(const Options& options) {
  auto session = session_options(options);
  if (!session) return fail("wrong usage", session.error());
  const std::string after = options.get("--after", "narrow");
  auto text = text_after(options, after, *session);
  if (!text) return fail_at("cannot dump", text.error());
  if (!options.has("--json")) {
    out(shown_lines(*text));
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
