// Who wrote and read each granule of shared memory, and when: races, uninitialised reads and stale asynchronous copies.
// Order is happens-before with a clock a warp: what a warp did at clock c is before what warp w does now when known(w, warp) > c. A barrier makes
// its warps know of each other; bar.warp.sync orders lanes of one warp; a fence and then a strong access hand on what a warp knows. So a race is
// found in whatever order the warps happened to run. Next: shadow.cpp; global.cpp is the same for global memory, with blocks for threads.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace ptxsim {

struct Warp;
struct Instruction;
struct Access;
struct AccessCache;
struct AsyncCopy;

// What an access is to the shadow, beside its purpose: Instruction::kind of loads and copies.
constexpr uint8_t kPlain = 0, kOfParameters = 1, kReadOnly = 2, kAsyncWrite = 3, kByWarp = 4;  // kByWarp: for all lanes, as ldmatrix

class Shadow {
 public:
  void start(uint32_t bytes, uint32_t granule, uint32_t warps);
  void accessed(Warp&, const Instruction&, const Access&);
  void arrived(Warp&, const AsyncCopy&);  // waited for: visible to its thread
  void fenced(Warp&);
  void snapshot(Warp&, std::vector<uint32_t>& clocks);  // as barrier_reached, of one lane: the others of the warp are not ordered
  void warp_ordered(Warp&, uint32_t lanes);
  void barrier_reached(Warp&, std::vector<uint32_t>& clocks);  // adds what the warp knows, and what it did
  void barrier_left(Warp&, const std::vector<uint32_t>& clocks);
  void all_ordered();  // a barrier of all warps
  // For memory that this shadow does not cover: a stamp of an access now, and whether one of the same block is before what `lane` does now.
  uint32_t stamp(const Warp&, uint32_t lane) const;
  bool stamp_ordered(uint32_t stamp, const Warp&, uint32_t lane) const;

 private:
  static constexpr uint32_t kPending = 1u << 31, kAtomic = 1u << 30, kCopied = 1u << 29, kThreadBits = 10, kThreads = (1u << kThreadBits) - 1;
  static constexpr uint32_t kOld = ~(kAtomic | kCopied);  // of an entry: what is smaller than a warp's floor is ordered before it, unless it is 0
  static constexpr uint32_t kMostClock = (1u << 19) - 4, kClockMask = (1u << 19) - 1;
  static constexpr uint32_t kSeveral = 32;  // of `read`: more than one lane

  uint32_t known(uint32_t by, uint32_t of) const { return known_[by * warps_ + of]; }
  uint32_t& known(uint32_t by, uint32_t of) { return known_[by * warps_ + of]; }
  void tick(uint32_t warp);
  void renew();  // clocks are used up: everything before is taken as ordered
  void lower(uint32_t warp);
  bool ordered(uint32_t entry, uint32_t warp, uint32_t lane) const;
  void read(Warp&, const Instruction&, const Access&, uint32_t lane, uint32_t granule);
  void write(Warp&, const Instruction&, const Access&, uint32_t lane, uint32_t granule);
  void written_before(Warp&, const Access&, uint32_t lane, uint32_t granule, uint32_t entry);
  void hand_over(Warp&, const Instruction&, const Access&);
  std::string where(const Warp&, uint32_t granule, uint32_t entry) const;

  uint32_t shift_ = 2, granules_ = 0, warps_ = 0;
  std::vector<uint32_t> written_;     // [granule] flags, clock, thread; 0: by nobody
  std::vector<uint32_t> written_pc_;  // [granule]
  std::vector<uint32_t> read_;        // [warp][granule] clock << 6 | lane, of the last read
  std::vector<uint32_t> clock_, known_;
  bool renewed_ = false;                                        // in this block: stamps from before say nothing
  std::vector<uint32_t> lane_sync_;                             // [warp][lane]: what lanes of the warp did before this clock is ordered
  std::vector<uint32_t> floor_;                                 // [warp]: entries of a smaller clock are ordered, whoever made them
  std::vector<std::vector<uint32_t>> released_;                 // [warp]: by its last fence; empty: none
  std::unordered_map<uint32_t, std::vector<uint32_t>> handed_;  // by granule of a strong write
};

void global_accessed(Warp&, const Instruction&, AccessCache&, const Access&);
void guessed(Warp&, const Access&);  // by a compare-and-swap: what Warp::guesses holds of these words was right
void report_guesses(Warp&);          // of a warp that is done
void local_accessed(Warp&, const Instruction&, const Access&);
// Of a lane's copy (Instruction::copies) to or from local memory: which bytes were written goes with them; null: other memory, all of which counts as
// written. False: a store brings bytes there that nobody wrote. copies.cpp.
bool carry(Warp&, const Instruction&, const Access&, uint32_t lane, uint8_t* written);
std::string place_text(const Warp&, uint32_t pc);  // "kernel.cu:12" or "PTX line 30"

}  // namespace ptxsim
