// Status and Result. Contract: tern/status.h.
#include "tern/status.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tern::test {
namespace {

// What f leaves on stderr, in a process of its own, and the signal that ends it.
template <class F>
std::pair<std::string, int> last_words(F f) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    f();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {text, WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

}  // namespace

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

}  // namespace tern::test
