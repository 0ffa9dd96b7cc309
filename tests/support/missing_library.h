// Builds may be without RE2 or Snappy. What then cannot be read says so, and tests of it end there.
//   if (!model.ok() && lacks_library(model.error().message())) continue;
#pragma once
#include <string>

namespace tern::test {

inline bool lacks_library(const std::string& message) {
  return message.find("libre2-dev") != message.npos || message.find("libsnappy-dev") != message.npos;
}

}  // namespace tern::test
