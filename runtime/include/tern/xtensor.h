// xtensor views over a session's inputs and outputs: no copy, the arena itself.
//   auto x = tern::xinput<float>(*session, "x");     x(0, 3) = 1.0f;
//   auto y = tern::xoutput<float>(*session, "y");    std::cout << y << "\n";
// The views stay valid for the session's life. An unknown name or another dtype gives an empty view of shape [0].
#pragma once
#include <vector>
#include <xtensor/xadapt.hpp>

#include "tern/tern.h"

namespace tern {
namespace detail {

inline std::vector<size_t> xshape(const Session& session, std::string_view name, bool found) {
  if (!found) return {0};
  const std::vector<int64_t> dims = session.dims(name);
  return {dims.begin(), dims.end()};
}

}  // namespace detail

template <class T>
auto xinput(Session& session, std::string_view name) {
  const auto data = session.input<T>(name);
  return xt::adapt(data.data(), data.size(), xt::no_ownership(), detail::xshape(session, name, data.data() != nullptr));
}

template <class T>
auto xoutput(const Session& session, std::string_view name) {
  const auto data = session.output<T>(name);
  return xt::adapt(data.data(), data.size(), xt::no_ownership(), detail::xshape(session, name, data.data() != nullptr));
}

}  // namespace tern
