// See hot_path.h. The interposed functions replace libc's in this executable only. Allocations are counted in contracts_allocations.cpp.
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

#include "tests/support/allocations.h"
#include "tests/support/hot_path.h"

namespace {

std::atomic<bool> watching{false};
std::atomic<int64_t> locks{0};

void count_lock() {
  if (watching.load(std::memory_order_relaxed)) locks.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

#ifndef TERN_SANITIZED                // sanitizers interpose these functions themselves
#pragma GCC visibility push(default)  // so that the C library and others call them too
extern "C" int pthread_mutex_lock(pthread_mutex_t* m) {
  count_lock();
  static auto* real = reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  return real(m);
}
extern "C" int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
  count_lock();
  static auto* real = reinterpret_cast<int (*)(pthread_cond_t*, pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_cond_wait"));
  return real(c, m);
}
#pragma GCC visibility pop
#endif

namespace tern::test {
namespace {

int64_t faults() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

// Every system call but exit_group kills the process.
bool forbid_system_calls() {
  sock_filter filter[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_exit_group},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS},
  };
  sock_fprog program = {sizeof filter / sizeof *filter, filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool makes_system_call(const std::function<void()>& run, int times) {
  const pid_t child = fork();
  if (child == 0) {
    run();  // pages that fork made copy-on-write
    if (!forbid_system_calls()) syscall(SYS_exit_group, 99);
    for (int i = 0; i < times; ++i) run();
    syscall(SYS_exit_group, 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

HotPathReport watch_hot_path(const std::function<void()>& run, int times) {
  HotPathReport report;
  run();
  run();
  locks = 0;
  watching = true;
  watch_allocations();
  const int64_t before = faults();  // last: an earlier child's fork made the pages of those counters copy-on-write
  for (int i = 0; i < times; ++i) run();
  report.allocations = stop_watching_allocations();
  watching = false;
  report.page_faults = faults() - before;
  report.locks = locks;
  report.system_call = makes_system_call(run, times);
  return report;
}

std::string HotPathReport::text() const {
  return std::to_string(allocations) + " allocations, " + std::to_string(locks) + " locks, " + std::to_string(page_faults) + " page faults, " +
         (system_call ? "a system call" : "no system call");
}

}  // namespace tern::test
