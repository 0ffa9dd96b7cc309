// Threads of a session: order of steps, waking up, sharing a CPU. Contract: runtime/workers.h, Session::run in tern.h.
#include "runtime/workers.h"

#include <doctest/doctest.h>
#include <time.h>

#include <thread>

#include "runtime/base/cpus.h"
#include "tern/tern.h"

namespace tern::test::in_workers {
namespace {

// A step that checks that every thread has finished the step before.
struct Turn {
  std::atomic<int>* finished;  // steps of all threads together, in this round
  int before;                  // how many must be done
  std::atomic<int>* late;
};
void turn(const void* args) {
  const auto& t = *static_cast<const Turn*>(args);
  if (t.finished->load() < t.before) ++*t.late;
  ++*t.finished;
}

struct Rounds {
  Rounds(size_t threads, int steps) : finished(0), late(0), threads(static_cast<int>(threads)), steps(steps) {
    for (int i = 0; i < steps; ++i) turns.push_back({&finished, i * static_cast<int>(threads), &late});
    lists.assign(threads, {});
    for (auto& list : lists) {
      for (const Turn& t : turns) list.push_back({turn, &t});
    }
  }
  void check(Workers& workers, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      finished = 0;
      workers.run();
      REQUIRE(finished == steps * threads);
    }
    CHECK(late == 0);
  }
  std::atomic<int> finished, late;
  int threads, steps;
  std::vector<Turn> turns;
  std::vector<std::vector<Step>> lists;
};

double cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

TEST_CASE("workers: every thread finishes a step before any begins the next, also with more threads than CPUs") {
  for (size_t threads : {2, 3, 7}) {
    Rounds r(threads, 5);
    auto workers = Workers::start(r.lists, {});
    REQUIRE(workers.ok());
    r.check(**workers, 300);
  }
}

TEST_CASE("workers: what the caller computes alone comes in order with what all share, run after run") {
  for (size_t threads : {2, 3}) {
    Rounds r(threads, 7);
    int done = 0;
    for (int i = 0; i < 7; ++i) {  // shared: 1, 4
      r.turns[static_cast<size_t>(i)].before = done;
      done += i == 1 || i == 4 ? static_cast<int>(threads) : 1;
      for (size_t t = 1; t < threads && i != 1 && i != 4; ++t) r.lists[t][static_cast<size_t>(i)] = {};
    }
    auto workers = Workers::start(r.lists, {});
    REQUIRE(workers.ok());
    for (int i = 0; i < 3000; ++i) {
      r.finished = 0;
      (*workers)->run();
      REQUIRE(r.finished == done);
    }
    CHECK(r.late == 0);
  }
}

TEST_CASE("workers: those that fell asleep between runs come back") {
  Rounds r(3, 4);
  auto workers = Workers::start(r.lists, {});
  REQUIRE(workers.ok());
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(20 * kSpinMicroseconds));
    r.check(**workers, 1);
  }
}

TEST_CASE("workers: a signal wakes all that sleep for it, and none is missed") {
  constexpr uint32_t kTimes = 5000;
  for (int rounds : {0, 50}) {
    Signal there, back;
    std::thread other([&] {
      Patience patience(rounds);
      for (uint32_t i = 0; i < kTimes; ++i) {
        there.wait(i, patience);
        back.raise();
      }
    });
    Patience patience(rounds);
    for (uint32_t i = 0; i < kTimes; ++i) {
      there.raise();
      back.wait(i, patience);
    }
    other.join();
    CHECK(back.count() == kTimes);
  }
}

// Spinning without end takes a slice of the scheduler's for every step, some milliseconds: 500 steps would take over a second.
TEST_CASE("workers: threads that share one CPU do not spin their time away") {
  std::thread([] {  // a thread of its own: its mask goes with it
    const int cpu = usable_cpus().front();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(cpu), &one);
    REQUIRE(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
    Rounds r(2, 5);
    const int cpus[] = {cpu};
    auto workers = Workers::start(r.lists, cpus);
    REQUIRE(workers.ok());
    const double before = cpu_seconds();
    r.check(**workers, 100);
    CHECK(cpu_seconds() - before < 0.5);
  })
      .join();
}

TEST_CASE("workers: patience falls to a sixteenth where waiting is in vain, and comes back") {
  Patience p(1600);
  for (int i = 0; i < 10; ++i) p.was_in_vain();
  CHECK(p.now == 100);
  p.paid();
  CHECK(p.now == 200);
  for (int i = 0; i < 10; ++i) p.paid();
  CHECK(p.now == 1600);
  Patience none(0);
  none.was_in_vain();
  none.paid();
  CHECK(none.now == 0);
}

TEST_CASE("workers: the spin is as long as it says") {
  const int rounds = Signal::rounds(kSpinMicroseconds);
  CHECK(rounds > 100);
  CHECK(rounds < 1000 * kSpinMicroseconds);
  CHECK(Signal::rounds(10 * kSpinMicroseconds) > 3 * rounds);
}

TEST_CASE("workers: one that cannot be pinned where it is asked is an error") {
  Rounds r(2, 1);
  const int cpus[] = {4095};
  auto workers = Workers::start(r.lists, cpus);
  REQUIRE(!workers.ok());
  CHECK(workers.error().code() == Code::kUsage);
}

}  // namespace tern::test::in_workers
