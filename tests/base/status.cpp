// Status and Result. Contract: tern/status.h.
#include "tern/status.h"

#include <doctest/doctest.h>

#include "tests/support/last_words.h"

namespace tern::test::in_status {

TEST_CASE("result: a failed one that is dereferenced says why and aborts") {
  const Result<std::string> failed = usage("no such thing\x1b[2J");
  const std::pair<std::string, int> expected{"tern: a failed Result was dereferenced: no such thing?[2J\n", SIGABRT};
  CHECK(last_words([&] { (void)*failed; }) == expected);
  CHECK(last_words([&] { (void)failed->size(); }) == expected);
  CHECK(last_words([&] { (void)*Result<std::string>(failed); }) == expected);
  CHECK(last_words([] {}) == std::pair<std::string, int>{"", 0});
}

TEST_CASE("result: one that is not failed has an error of code kOk") {
  const Result<int> three = 3;
  CHECK(*three == 3);
  CHECK(three.error().code() == Code::kOk);
  CHECK(three.error().message().empty());
}

}  // namespace tern::test::in_status
