// What loading may ask of the system: a filter kills the process that runs a program, opens a connection, writes to a file it did not make
// itself, or opens one for writing. And every call of the system that loading makes fails once: an error or the same model, never a crash.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tern/tern.h"
#include "tests/support/cases.h"

// ---- calls that fail on demand ----

namespace {

enum class Failure { none, eio, eintr, emfile, half, end };
struct Plan {
  bool armed = false;
  int64_t calls = 0, fail_at = -1;
  Failure how = Failure::none;
} plan;

// True when this call is the one to fail.
bool due() { return plan.armed && plan.calls++ == plan.fail_at; }

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

// Reads and writes may be short or interrupted; other calls succeed or fail.
bool hard() { return plan.how == Failure::eio || plan.how == Failure::emfile; }

int number() { return plan.how == Failure::eintr ? EINTR : plan.how == Failure::emfile ? EMFILE : EIO; }

}  // namespace

#ifndef TERN_SANITIZED
#pragma GCC visibility push(default)  // so that the C++ library calls them too
extern "C" {
ssize_t read(int fd, void* to, size_t n) {
  static auto* real = next<ssize_t(int, void*, size_t)>("read");
  if (!due()) return real(fd, to, n);
  if (plan.how == Failure::half) return real(fd, to, n > 1 ? n / 2 : n);
  if (plan.how == Failure::end) return 0;
  return errno = number(), -1;
}
ssize_t pread(int fd, void* to, size_t n, off_t at) {
  static auto* real = next<ssize_t(int, void*, size_t, off_t)>("pread");
  if (!due()) return real(fd, to, n, at);
  if (plan.how == Failure::half) return real(fd, to, n > 1 ? n / 2 : n, at);
  if (plan.how == Failure::end) return 0;
  return errno = number(), -1;
}
ssize_t write(int fd, const void* from, size_t n) {
  static auto* real = next<ssize_t(int, const void*, size_t)>("write");
  if (!due()) return real(fd, from, n);
  if (plan.how == Failure::half) return real(fd, from, n > 1 ? n / 2 : n);
  return errno = number(), -1;
}
int open(const char* path, int flags, ...) {
  static auto* real = next<int(const char*, int, ...)>("open");
  if (due() && hard()) return errno = number(), -1;
  return real(path, flags, 0600);
}
int fstat(int fd, struct stat* s) {
  static auto* real = next<int(int, struct stat*)>("fstat");
  if (due() && hard()) return errno = number(), -1;
  return real(fd, s);
}
int ftruncate(int fd, off_t size) {
  static auto* real = next<int(int, off_t)>("ftruncate");
  if (due() && hard()) return errno = number(), -1;
  return real(fd, size);
}
int memfd_create(const char* name, unsigned flags) {
  static auto* real = next<int(const char*, unsigned)>("memfd_create");
  if (due() && hard()) return errno = number(), -1;
  return real(name, flags);
}
}
#pragma GCC visibility pop
#endif

namespace tern::test::in_load_io {
namespace {

// Kills the process on every call that loading does not need; a file may be opened for reading only.
bool confine() {
  constexpr int kAllowed[] = {SYS_read,      SYS_pread64, SYS_write,     SYS_close,        SYS_fstat,     SYS_newfstatat, SYS_statx,
                              SYS_lseek,     SYS_fcntl,   SYS_ftruncate, SYS_memfd_create, SYS_mmap,      SYS_munmap,     SYS_mremap,
                              SYS_mprotect,  SYS_madvise, SYS_brk,       SYS_futex,        SYS_getrandom, SYS_prlimit64,  SYS_sched_getaffinity,
                              SYS_exit_group};
  std::vector<sock_filter> f;
  f.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)});
  for (const int call : kAllowed) {
    f.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<uint32_t>(call)});
    f.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
  }
  f.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_openat});
  f.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args[2])});
  f.push_back({BPF_JMP | BPF_JSET | BPF_K, 1, 0, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC});
  f.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW});
  f.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS});
  sock_fprog program = {static_cast<unsigned short>(f.size()), f.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Does f() stay within what the filter allows?
bool confined(const std::function<void()>& f) {
  const pid_t child = fork();
  if (child == 0) {
    if (!confine()) _exit(99);
    f();
    syscall(SYS_exit_group, 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Model files of every format in the test data.
std::vector<std::string> files() {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TERN_TEST_DATA)) {
    const std::string ext = entry.path().extension().string();
    for (const char* known : {".onnx", ".pt", ".pth", ".pt2", ".bin", ".safetensors", ".json", ".ckpt"}) {
      if (entry.is_regular_file() && ext == known) all.push_back(entry.path().string());
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

#ifndef TERN_SANITIZED
TEST_CASE("load io: the filter notices a program that is run, a file that is written, and a connection") {
  CHECK(confined([] {}));
  CHECK(!confined([] { execl("/bin/true", "true", nullptr); }));
  CHECK(!confined([] { ::open("/tmp/tern_confined", O_CREAT | O_WRONLY, 0600); }));
  CHECK(!confined([] { syscall(SYS_socket, 2, 1, 0); }));
}

TEST_CASE("load io: loading any file, good or bad, only reads") {
  const auto all = files();
  REQUIRE(all.size() > 300);
  CHECK(confined([&] {
    for (const std::string& file : all) (void)load(file);
  }));
}

TEST_CASE("load io: each call of the system fails once, and loading gives an error or the same model") {
  const std::string data = TERN_TEST_DATA;
  const std::vector<std::string> samples = {data + "/models/digits_mlp/model.onnx", data + "/models/text_classifier/model.onnx",
                                            data + "/torch/safetensors/model.safetensors.index.json"};
  int64_t tried = 0, refused = 0;
  for (const std::string& file : samples) {
    CAPTURE(file);
    plan = {true, 0, -1, Failure::none};
    auto whole = load(file);
    plan.armed = false;
    const int64_t calls = plan.calls;
    const std::string expected = whole ? whole->text() : whole.error().message();
    CHECK(calls > 0);
    for (const Failure how : {Failure::eio, Failure::eintr, Failure::emfile, Failure::half, Failure::end}) {
      for (int64_t k = 0; k < calls; ++k) {
        CAPTURE(k);
        CAPTURE(static_cast<int>(how));
        plan = {true, 0, k, how};
        auto result = load(file);
        plan.armed = false;
        ++tried;
        if (result.ok()) CHECK(result->text() == expected);
        else CHECK(result.error().message() != "");
        refused += !result.ok();
        if (how == Failure::half || how == Failure::eintr)
          CHECK((result ? result->text() : result.error().message()) == expected);  // a short read is no error
      }
    }
  }
  CHECK(tried > 50);
  CHECK(refused > 10);
}
#endif

}  // namespace tern::test::in_load_io
