// RegexReplace and RegexFullMatch, by RE2, which takes linear time for any pattern; a build without it refuses them. See strings.h.
#include <memory>
#include <mutex>

#include "kernels/strings/strings.h"
#include "kernels/strings/text.h"
#include "runtime/base/checked.h"
#ifdef TERN_RE2
#include <re2/re2.h>
#endif

namespace tern {
namespace {

#ifdef TERN_RE2

Status check_build() { return {}; }

// The expression that was compiled last: to compile one takes longer than to match a few strings, and models are run again and again. One alone:
// RE2 keeps up to 8 MB of states with it.
struct LastRegex {
  std::mutex mutex;
  std::shared_ptr<const RE2> regex;
};
LastRegex& last_regex() {
  static LastRegex last;
  return last;
}

// Errors: no regular expression (invalid); one that RE2 finds too large (unsupported).
Result<std::shared_ptr<const RE2>> compile(const ComputeRequest& r) {
  const std::string pattern = r.attrs.s("pattern");
  LastRegex& last = last_regex();
  {
    const std::scoped_lock lock(last.mutex);
    if (last.regex != nullptr && last.regex->pattern() == pattern) return last.regex;
  }
  RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_shared<const RE2>(pattern, options);
  if (!regex->ok()) {
    const std::string why = "pattern " + quoted(pattern) + ": " + quoted(regex->error());  // which repeats the pattern
    return regex->error_code() == RE2::ErrorPatternTooLarge ? unsupported(why) : invalid(why);
  }
  const std::scoped_lock lock(last.mutex);
  last.regex = regex;
  return regex;
}

Result<std::vector<Tensor>> replace(const ComputeRequest& r) {
  auto regex = compile(r);
  if (!regex) return regex.error();
  const std::string rewrite = r.attrs.s("rewrite");
  if (std::string why; !(*regex)->CheckRewriteString(rewrite, &why)) return invalid("rewrite " + quoted(rewrite) + ": " + why);
  const bool global = r.attrs.i("replace_global") != 0;
  // What one match becomes may be the whole string several times over: a bound before it is made.
  const auto copies = static_cast<int64_t>(std::count(rewrite.begin(), rewrite.end(), '\\'));
  int64_t left = r.budget;
  for (const StringRef& x : strings_of(r.inputs[0])) {
    left -= (x.size + 1) * (global ? static_cast<int64_t>(rewrite.size()) + 1 : 1 + copies) + static_cast<int64_t>(rewrite.size());
    if (left < 0) return too_much_text();
  }
  return map_text(r, [&](std::string_view x, TextBuilder& y) {
    std::string s(x);
    if (global) RE2::GlobalReplace(&s, **regex, rewrite);
    else RE2::Replace(&s, **regex, rewrite);
    y.append(s);
  });
}

Result<std::vector<Tensor>> full_match(const ComputeRequest& r) {
  auto regex = compile(r);
  if (!regex) return regex.error();
  return map_numbers<bool>(r, [&](std::string_view x) { return Result<bool>(RE2::FullMatch({x.data(), x.size()}, **regex)); });
}

#else

Status check_build() { return unsupported("regular expressions need RE2, which this build is without: build with Debian's libre2-dev"); }
Result<std::vector<Tensor>> replace(const ComputeRequest&) { return check_build().error(); }
Result<std::vector<Tensor>> full_match(const ComputeRequest&) { return check_build().error(); }

#endif

// How many states a pattern may have: what repeats counts as often, and a class of Unicode is large. At worst each byte of text costs a step for each,
// and each is made once.
int64_t steps(const AttrReader& attrs, std::span<const TensorView> in, std::span<const TensorView>) {
  constexpr int64_t kMakeState = 64, kClass = 512, kMostRepeats = 1000;  // RE2 allows no more
  const std::string pattern = attrs.s("pattern");
  int64_t states = static_cast<int64_t>(pattern.size()) + 1, repeats = 1, bytes = kMakeState, number = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    number = c >= '0' && c <= '9' ? std::min<int64_t>(number * 10 + (c - '0'), kMostRepeats) : 0;
    repeats = std::max(repeats, number);
    if (c == '\\' && i + 1 < pattern.size() && (pattern[i + 1] | 0x20) == 'p') states += kClass;
  }
  if (in[0].known) {
    for (int64_t i = 0; i < in[0].count(); ++i) bytes += in[0].as<StringRef>()[i].size + 1;
  }
  return checked_mul(checked_mul(states, repeats).value_or(INT64_MAX), bytes).value_or(INT64_MAX);
}

Status infer_replace(InferContext& c) {
  if (Status s = check_build(); !s) return s;
  return infer_text_map(c);
}
Status infer_full_match(InferContext& c) {
  if (Status s = check_build(); !s) return s;
  return infer_text_map(c, DType::boolean);
}

constexpr AttrSpec kReplaceAttrs[] = {{"pattern", AttrKind::s, kRequired}, {"replace_global", AttrKind::i, 1}, {"rewrite", AttrKind::s, kRequired}};
constexpr AttrSpec kMatchAttrs[] = {{"pattern", AttrKind::s}};

}  // namespace

constinit const OpDef kRegexReplace = {.name = "RegexReplace",
                                       .inputs = {1, 1},
                                       .outputs = {1, 1},
                                       .attrs = kReplaceAttrs,
                                       .infer = infer_replace,
                                       .compute = replace,
                                       .steps = steps,
                                       .tern_only = true};
constinit const OpDef kRegexFullMatch = {.name = "RegexFullMatch",
                                         .inputs = {1, 1},
                                         .outputs = {1, 1},
                                         .attrs = kMatchAttrs,
                                         .infer = infer_full_match,
                                         .compute = full_match,
                                         .steps = steps};

}  // namespace tern
