// A machine's memory: regions with gaps between them, and how a warp's access becomes pointers. Next: access.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "tools/ptxsim/program.h"

namespace ptxsim {

struct Region {
  uint64_t base = 0, size = 0;
  std::byte* data = nullptr;
  std::unique_ptr<std::byte[]> owned;
  std::vector<uint8_t> written;  // a byte: did anyone write it; empty: all
  bool constant = false, freed = false;
  // Who touched each granule: 1 + the block's number over all launches, see global.cpp.
  struct Free {
    void operator()(uint32_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint32_t[], Free> writer, reader;
  std::unique_ptr<uint32_t[], Free> write_stamp, read_stamp;  // by which thread of that block, and when: see Shadow::stamp
  std::unique_ptr<uint32_t[], Free> wrote_at, read_at;        // launch time, for kernels with fences
  uint32_t granule = 0;
};

class MemoryMap {
 public:
  Region* find(uint64_t address);  // the region that holds it, or nullptr
  const Region* find(uint64_t address) const { return const_cast<MemoryMap*>(this)->find(address); }
  Region* allocate(size_t bytes, bool initialised);  // nullptr: no memory
  Region* map_at(uint64_t base, size_t bytes);       // zeroed; of module-scope variables
  void free(uint64_t address);
  void forget_blocks();                         // who touched what: block numbers begin anew
  std::string nearest(uint64_t address) const;  // for messages

 private:
  std::map<uint64_t, Region> regions_;
  uint64_t next_ = 0x7f0000000000;
};

// What a launch remembers about one memory instruction: where it went last, and how the last pattern of its lanes counted.
struct AccessCache {
  Region* region = nullptr;
  uint32_t lanes = 0, phase = 0, count = 0;
  bool distinct = false;
  uint32_t deltas[kLanes] = {};
};

enum class Purpose : uint8_t { load, store, atomic };

struct Access {
  Space space = Space::generic;
  Purpose purpose = Purpose::load;
  uint32_t lanes = 0, bytes = 0;
  bool contiguous = false;  // all lanes, one after the other without gaps
  bool uniform = false;     // all lanes at one address
  uint64_t address[kLanes];
  std::byte* host[kLanes];
};

// Fills `access` for the lanes whose access is legal; the others are reported and left out. Counts sectors and wavefronts, checks
// initialisation, races and order.
void resolve(Warp&, const Instruction&, uint32_t lanes, Purpose, Access& access);
// The same for addresses that the caller has put into access.address, of one space, lanes and bytes set.
void check(Warp&, const Instruction&, Access& access);
void addresses_of(Warp&, const Instruction&, uint32_t base, uint32_t base_bytes, uint64_t add, uint64_t* out);

}  // namespace ptxsim
